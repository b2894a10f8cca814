import Encodings
import Messages
import RPC

/// The gateway's own pages: health, readiness, and a first page for people.
struct Pages: Sendable {
    /// How long a service may take to say that it is ready.
    private static let checkTimeout: Duration = .seconds(1)

    let upstreams: Upstreams
    let address: HTTPAddress

    /// Whether the gateway runs.
    func health() -> Answer {
        .json(200, JSONValue.object([.init(name: "state", value: .string("serving"))]).encoded)
    }

    /// Whether everything behind the gateway is ready: 200, else 503.
    func readiness() async -> Answer {
        let states = await self.states()
        let isReady = states.allSatisfy { $0.isReady }
        let services = states.map { state in
            JSONValue.Member(
                name: state.upstream.rawValue, value: .string(state.isReady ? "ready" : "not ready")
            )
        }
        let body = JSONValue.object([
            .init(name: "state", value: .string(isReady ? "ready" : "not ready")),
            .init(name: "services", value: .object(services)),
        ])
        var answer = Answer.json(isReady ? 200 : 503, body.encoded)
        if !isReady { answer.fields["Retry-After"] = "1" }
        return answer
    }

    /// The page at `/`.
    func welcome() async -> Answer {
        WelcomePage(states: await states(), publicURL: address.publicURL).frame.answer()
    }

    /// A service and whether it is ready.
    struct State: Sendable, Hashable {
        let upstream: Backend
        let isReady: Bool
    }

    private func states() async -> [State] {
        await withTaskGroup(of: State.self) { group in
            for upstream in Backend.allCases {
                let channel = upstreams[upstream]
                group.addTask {
                    State(upstream: upstream, isReady: await Self.isReady(channel))
                }
            }
            var states: [State] = []
            for await state in group { states.append(state) }
            return Backend.allCases.flatMap { upstream in
                states.filter { $0.upstream == upstream }
            }
        }
    }

    private static func isReady(_ channel: any Channel) async -> Bool {
        do {
            let reply = try await HealthClient(channel).check(
                CheckHealthRequest(), options: CallOptions(timeout: checkTimeout))
            return reply.state == .serving
        } catch {
            return false
        }
    }
}
