import ArgumentParser
import DynamicMessages
import RPC
import RPCTransport

/// `guildhall describe`: what a server can be asked, in the words of its .proto files.
struct DescribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe",
        abstract: "Prints services, methods and messages of a running server as .proto files.",
        discussion: """
            The server describes itself: no .proto file is needed. Names may be given without \
            their package. Without a name, every service is printed.

              guildhall describe --target 127.0.0.1:7101
              guildhall describe --target 127.0.0.1:7101 Organizations/GetOrganization
              guildhall describe --target unix:/run/guildhall.sock EmailMask
            """
    )

    @Argument(help: "A service, SERVICE/METHOD, a message or an enum.")
    var name: String?
    @Option(help: ArgumentHelp("The server.", valueName: TargetArgument.form))
    var target: TargetArgument
    @OptionGroup var caller: CallerOptions

    func run() async throws {
        let loops = RPCEventLoops(threadCount: 1)
        try await Failure.told {
            let client = try target.client(loops: loops, caller.protection.security())
            let remote = try await RemoteAPI(
                asking: try caller.signed(client), options: caller.callOptions)
            Console().line(try text(remote))
            await client.close()
        }
        await loops.shutDown()
    }

    private func text(_ remote: RemoteAPI) throws -> String {
        var text = ProtoText(remote.schema)
        guard let name else {
            for service in remote.services { text.add(service) }
            return text.text
        }
        if let service = remote.service(named: name) {
            text.add(service)
        } else if let type = try remote.type(named: name) {
            text.add(types: [type])
        } else if remote.names.contains(name) {
            let method = try remote.method(named: name)
            guard let service = remote.service(named: method.service) else { return "" }
            text.add(method, of: service)
            text.add(types: [method.request, method.reply])
        } else {
            let suggestion = remote.suggestion(for: name, remote.names)
            throw ValidationError("The server has no \(name)\(suggestion)")
        }
        return text.text
    }
}
