public import RPC

extension MetadataKey {
    /// The entity tag that the resource must still have: text.
    public static let ifMatch = "if-match"
}

/// The tag of a resource's version, for `etag` and `If-Match`.
public enum EntityTag {
    /// The tag of a version.
    public static func of(version: Int64) -> String { "v\(version)" }

    /// Whether an `If-Match` text names a version: the tag, with or without quotes, one of a list,
    /// or `*`.
    public static func matches(_ text: String, version: Int64) -> Bool {
        let tag = of(version: version)
        return text.split(separator: ",").contains { part in
            let trimmed = part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
            let candidate = String(trimmed)
            return candidate == "*" || candidate == tag || candidate == "\"\(tag)\""
        }
    }
}

extension CallContext {
    /// Requires that the resource still has the version that the caller saw, if it named one.
    ///
    /// Call it inside the transaction that changes the resource.
    /// - Parameters:
    ///   - version: The version found.
    ///   - etag: The tag in the request, if its message has one; empty for none.
    /// - Throws: `FAILED_PRECONDITION`, reason `version_mismatch`.
    public func requireMatch(version: Int64, etag: String = "") throws(Status) {
        for expected in [metadata[text: MetadataKey.ifMatch] ?? "", etag] where !expected.isEmpty {
            guard EntityTag.matches(expected, version: version) else {
                throw Status.refusal(
                    .versionMismatch, "This has changed since you read it. Read it again.",
                    metadata: ["etag": EntityTag.of(version: version)])
            }
        }
    }
}
