import Logging
import RPC

extension ServerCore {
    /// The status with which the error of a handler leaves.
    ///
    /// What nobody foresaw may hold secrets: the caller gets an identifier, under which the log has
    /// the rest. An interceptor that has made a status of it has its own way.
    func status(of error: any Error, _ context: CallContext) -> Status {
        Status(foreseen: error) ?? unforeseen(error, context)
    }

    private func unforeseen(_ error: any Error, _ context: CallContext) -> Status {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        let correlation = String(repeating: "0", count: 16 - digits.count) + digits
        logger.error(
            "call failed unexpectedly",
            metadata: [
                "method": "\(context.method.path)", "peer": "\(context.peer)",
                "correlation": "\(correlation)", "error": "\(error)",
            ])
        return Status(
            .internal, "The server failed. Please report the identifier \(correlation).",
            details: [RPCReason.handlerFailed.detail(["correlation_id": correlation])])
    }
}
