/// Why this library itself has ended a call: the reason in the `ErrorInfo` of a status, whose
/// domain is ``domain``.
///
/// `Protos/README.md` says what clients do about each.
public enum RPCReason: String, Sendable, Hashable, CaseIterable {
    /// The server has no place for another call; the call was not begun.
    case serverBusy = "server_busy"
    /// The connection has no place for another call; the call was not begun.
    case connectionBusy = "connection_busy"
    /// The calls of the method have become slow; the call was not begun.
    case methodBusy = "method_busy"
    /// The connection has reached its age; a stream is begun anew on another.
    case connectionAged = "connection_aged"
    /// A request is larger than its method takes.
    case requestTooLarge = "request_too_large"
    /// The peer was not granted the method.
    case peerNotGranted = "peer_not_granted"
    /// The handler set trailing metadata that may not be sent.
    case trailingMetadataRefused = "trailing_metadata_refused"
    /// The handler failed in a way that nobody foresaw; its fact `correlation_id` is the identifier
    /// under which the log of the server has the error.
    case handlerFailed = "handler_failed"
    /// A client could not make the call; its facts are `peer`, `phase` and `seen`.
    case callFailed = "rpc_failed"

    /// Who defines these reasons.
    public static let domain = "guildhall.rpc"

    /// The reason as a detail of a status, with facts for programs by their names.
    public func detail(_ facts: [String: String] = [:]) -> StatusDetail {
        .errorInfo(reason: rawValue, domain: Self.domain, metadata: facts)
    }
}

extension Status {
    /// The reason for which this library itself ended the call; nil when it did not, or is older
    /// than the reason.
    public var rpcReason: RPCReason? {
        for case .errorInfo(let reason, RPCReason.domain, _) in details {
            return RPCReason(rawValue: reason)
        }
        return nil
    }
}
