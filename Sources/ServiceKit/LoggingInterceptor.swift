internal import Access
public import Logging
public import RPC
internal import Storage

/// Logs each call in one line and makes every error a status.
///
/// Reads that succeed are logged at `debug`, everything else at `info`; a level that is off costs a
/// comparison. Unexpected errors leave as `INTERNAL` with a fixed sentence and an identifier under
/// which the log has their detail.
public struct LoggingInterceptor: ServerInterceptor {
    private let logger: Logger
    private let identifiers: IdentifierSource

    /// An interceptor that writes to a log.
    public init(logger: Logger, clock: WallClock = .system) {
        self.logger = logger
        identifiers = IdentifierSource(clock: clock)
    }

    /// The method with the log around its handler.
    public func intercept(_ method: RegisteredMethod) -> RegisteredMethod {
        let level: Logger.Level = method.descriptor.idempotency == .safe ? .debug : .info
        return method.wrapped { _ in
            ContinuousClock.now
        } end: { start, context, error in
            if let error { throw failed(error, context, since: start) }
            if logger.logLevel <= level { log(level, context, since: start) }
        }
    }

    private func failed(
        _ error: any Error, _ context: CallContext, since start: ContinuousClock.Instant
    ) -> Status {
        let status: Status
        if let known = Status(known: error) {
            status = known
        } else {
            let correlation = identifiers.next(RequestID.self).text
            var metadata: Logger.Metadata = [
                "method": "\(context.method.path)", "correlation": "\(correlation)",
                "request": "\(context.requestID)", "error": "\(error)",
            ]
            if let trace = context.traceID { metadata["trace"] = "\(trace)" }
            logger.error("call failed unexpectedly", metadata: metadata)
            status = Status.refusal(
                .internal, "The server failed. Please report the identifier \(correlation).",
                metadata: ["correlation_id": correlation])
        }
        if logger.logLevel <= .info { log(.info, context, status, since: start) }
        return status
    }

    private func log(
        _ level: Logger.Level, _ context: CallContext, _ status: Status? = nil,
        since start: ContinuousClock.Instant
    ) {
        let (seconds, attoseconds) = start.duration(to: .now).components
        let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        var metadata: Logger.Metadata = [
            "method": "\(context.method.path)", "microseconds": "\(microseconds)",
            "status": "\(status?.code ?? .ok)",
        ]
        if let reason = status?.reason { metadata["reason"] = "\(reason)" }
        if !context.requestID.isEmpty { metadata["request"] = "\(context.requestID)" }
        if let trace = context.traceID { metadata["trace"] = "\(trace)" }
        logger.log(level: level, "call", metadata: metadata)
    }
}

extension Status {
    /// The status of an error that was foreseen; nil for every other.
    init?(known error: any Error) {
        switch error {
        case let error as any StatusConvertible: self = error.status
        case let fault as StorageFault:
            guard let status = Status(fault) else { return nil }
            self = status
        case let fault as CommandFault: self = Status(fault)
        case let fault as CopyFault: self = Status(fault)
        case is DecodingFault, is CancellationError: self = Status(thrown: error)
        default: return nil
        }
    }
}
