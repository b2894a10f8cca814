internal import RPC

/// The names of OpenTelemetry's semantic conventions for remote calls, those that are stable.
enum Conventions {
    static let serverDuration = "rpc.server.call.duration"
    static let clientDuration = "rpc.client.call.duration"
    /// The conventions have no name for it; it follows `http.server.active_requests`.
    static let serverActive = "rpc.server.active_calls"
    static let clientActive = "rpc.client.active_calls"

    static let system = "rpc.system.name"
    static let method = "rpc.method"
    static let statusCode = "rpc.response.status_code"
    static let errorType = "error.type"

    /// The value of ``system``.
    static let systemName = "guildhall"
}

extension Status.Code {
    /// The name that the conventions want, such as `DEADLINE_EXCEEDED`.
    var conventionalName: String { Self.conventionalNames[Int(rawValue)] }

    /// By number: codes are 0, 1, 2, … without a gap.
    private static let conventionalNames: [String] = allCases.map { code in
        "\(code)".reduce(into: "") { name, character in
            if character.isUppercase { name += "_" }
            name += character.uppercased()
        }
    }

    /// How a server ends a call whose handler threw this, or nothing.
    init(ofServer error: (any Error)?, _ context: CallContext) {
        guard let error else {
            self = .ok
            return
        }
        let code = Status(thrown: error).code
        // A handler whose time is over is cancelled; its caller hears of the deadline.
        self = code == .cancelled && context.deadline.hasPassed() ? .deadlineExceeded : code
    }

    /// How a call ended for its client.
    init(ofClient error: (any Error)?) {
        guard let error else {
            self = .ok
            return
        }
        // Anything but a status comes from the closure that used the stream, which ended it so.
        self = (error as? Status)?.code ?? .cancelled
    }

    /// Whether a server is to blame for it: the others are answers that the caller must expect.
    var isServerFault: Bool {
        switch self {
        case .unknown, .deadlineExceeded, .unimplemented, .internal, .unavailable, .dataLoss: true
        default: false
        }
    }
}
