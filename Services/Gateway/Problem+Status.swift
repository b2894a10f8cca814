import RPC
import ServiceKit

extension Problem {
    /// The problem that a call of a service ended in.
    ///
    /// - Parameters:
    ///   - status: What the service answered.
    ///   - upstream: The service.
    ///   - bodyField: The field of the request that the body filled, in its JSON spelling; nil when
    ///     the body was the request, or there was none.
    init(_ status: Status, from upstream: Backend, bodyField: String? = nil) {
        let reason = Self.reason(of: status)
        guard status.rpcReason != .requestTooLarge else {
            self = .requestTooLarge(status.message)
            return
        }
        self.init(
            httpStatus: ErrorReason.httpStatus(of: status),
            code: reason ?? Self.code(for: status.code),
            message: status.message, violations: Self.violations(status.details, bodyField))
        if reason == nil {
            // A sentence about a connection is for the log; people learn which part is down.
            switch status.code {
            case .unavailable:
                message = "The service \(upstream.rawValue) does not answer at the moment."
            case .deadlineExceeded, .cancelled:
                message = "The service \(upstream.rawValue) did not answer in time."
            case .unknown, .internal, .dataLoss:
                message = "The service \(upstream.rawValue) failed."
            default: break
            }
        }
        fields["Retry-After"] = Self.retryAfter(status, httpStatus)
        if httpStatus == 401 { fields.merge(Self.unauthenticated.fields) { $1 } }
    }

    /// A longer wait is none: whoever asks for it wants no further attempt.
    private static let waitMax: Duration = .seconds(86_400)

    /// When to try again, in whole seconds: as the service says, else in a second where what is
    /// wrong passes by itself; nil where waiting does not help.
    private static func retryAfter(_ status: Status, _ httpStatus: Int) -> String? {
        for case .retryInfo(let delay) in status.details {
            guard delay <= waitMax else { return nil }
            let seconds = delay.components.seconds + (delay.components.attoseconds > 0 ? 1 : 0)
            return String(max(1, seconds))
        }
        return httpStatus == 429 || httpStatus == 503 ? "1" : nil
    }

    /// The reason that the domain gives; what the transport says of a connection is none.
    private static func reason(of status: Status) -> String? {
        for case .errorInfo(let reason, errorDomain, _) in status.details { return reason }
        return nil
    }

    /// The code of a status that names no reason.
    private static func code(for code: Status.Code) -> String {
        switch code {
        case .ok, .unknown, .internal, .dataLoss: "internal"
        case .cancelled: "cancelled"
        case .invalidArgument, .outOfRange: "malformed_message"
        case .deadlineExceeded: "deadline_exceeded"
        case .notFound: "not_found"
        case .alreadyExists: "already_exists"
        case .permissionDenied: "forbidden"
        case .resourceExhausted: "busy"
        case .failedPrecondition: "wrong_state"
        case .aborted: "aborted"
        case .unimplemented: "unimplemented"
        case .unavailable: "unavailable"
        case .unauthenticated: "unauthenticated"
        }
    }

    /// Every gate that refused and every field that is wrong; the named facts of the reason stand
    /// with the gate that they are about.
    private static func violations(
        _ details: [StatusDetail], _ bodyField: String?
    ) -> [Violation] {
        var violations: [Violation] = []
        for detail in details {
            switch detail {
            case .preconditionFailure(let gates):
                violations += gates.map {
                    Violation(code: $0.type, at: $0.subject, message: $0.description)
                }
            case .badRequest(let fields):
                violations += fields.map {
                    Violation(
                        code: "invalid",
                        at: FieldName.path(FieldName.jsonPath($0.field), inBody: bodyField),
                        message: $0.description)
                }
            case .errorInfo, .retryInfo, .other: break
            }
        }
        for case .errorInfo(let reason, errorDomain, let metadata) in details
        where !metadata.isEmpty {
            let place = metadata["at"] ?? ""
            let facts = metadata.filter { !["at", "code", "message"].contains($0.key) }
            // Two limits of one place have one code: facts come in the order of the gates.
            let position = violations.firstIndex {
                $0.code == reason && $0.at == place && $0.facts.isEmpty
            }
            if let position {
                violations[position].facts = facts
            } else {
                violations.insert(Violation(code: reason, at: place, facts: facts), at: 0)
            }
        }
        return violations
    }
}
