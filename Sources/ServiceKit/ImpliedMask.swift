public import RPC

extension MetadataKey {
    /// Whether an update mask was made of what was sent, since its sender named none: text, `true`.
    ///
    /// Such a mask may name what is only answered, which is passed over then, so that what was
    /// read can be sent back with a change.
    public static let maskIsImplied = "update-mask-implied"
}

extension CallContext {
    /// Whether the update mask of the request was made of what was sent.
    public var isMaskImplied: Bool { metadata[text: MetadataKey.maskIsImplied] == "true" }
}
