import ArgumentParser
import NIOCore
import NIOPosix

/// The ports of an installation on loopback.
struct Ports: Sendable {
    /// All traffic of an embedded installation stays on this address.
    static let host = "127.0.0.1"

    let http: Int
    private let rpc: [Part: Int]

    /// Ports that follow one another, or free ones where 0 is asked for.
    init(http: Int, rpc base: Int) throws {
        var free = try Self.free(count: Part.allCases.count + 1)
        self.http = http == 0 ? free.removeFirst() : http
        var rpc: [Part: Int] = [:]
        for part in Part.allCases {
            rpc[part] = base == 0 ? free.removeFirst() : base + part.portOffset
        }
        guard rpc.values.allSatisfy({ (1...65_535).contains($0) }) else {
            throw ValidationError("The RPC ports from \(base) on are not all ports.")
        }
        self.rpc = rpc
    }

    func rpcPort(of part: Part) -> Int { rpc[part] ?? 0 }

    func address(of part: Part) -> String { "\(Self.host):\(rpcPort(of: part))" }

    /// Ports that nobody listens on now, found by binding them all at once.
    private static func free(count: Int) throws -> [Int] {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        let channels = try (0..<count).map { _ in
            try bootstrap.bind(host: host, port: 0).wait()
        }
        let ports = channels.compactMap { $0.localAddress?.port }
        for channel in channels { try channel.close().wait() }
        return ports
    }
}
