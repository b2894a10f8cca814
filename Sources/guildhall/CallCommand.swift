import ArgumentParser
import DynamicMessages
import Foundation
import RPC
import RPCTransport

/// `guildhall call`: one call of any method of a running server, JSON in and JSON out.
struct CallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        abstract: "Calls a method of a running server with JSON, without .proto files.",
        discussion: """
            The method is Package.Service/Method, Service/Method, or Method alone when one \
            service has it. Results are printed as JSON, those of a stream one a line; nothing \
            else goes to standard output. Requests of a stream are read one a line. A call that \
            fails prints its status to standard error and ends with 1.

              guildhall call GetOrganization -d '{"id": "…"}' --target 127.0.0.1:7101 --data data
              guildhall call Membership/SignIn -d @sign-in.json --target 127.0.0.1:7100
              guildhall call Health/Watch --target 127.0.0.1:7101 --timeout 5s

            A changing call gets an idempotency key; name one by -H to repeat a call safely.
            """
    )

    @Argument(help: "The method.")
    var method: String
    @Option(
        name: .customShort("d"), parsing: .unconditional,
        help: ArgumentHelp(
            "The request as JSON; - reads standard input. "
                + "(default: {}, standard input where requests stream)",
            valueName: "json|@file|-"))
    var document: DocumentArgument?
    @Option(help: ArgumentHelp("The server.", valueName: TargetArgument.form))
    var target: TargetArgument
    @Flag(help: "Prints fields also when they hold their default.")
    var defaults = false
    @OptionGroup var caller: CallerOptions

    func run() async throws {
        let loops = RPCEventLoops(threadCount: 1)
        try await Failure.told {
            let client = try target.client(loops: loops, caller.protection.security())
            let channel = try caller.signed(client)
            let remote = try await RemoteAPI(asking: channel, options: caller.callOptions)
            do {
                let call = try DynamicCall(
                    remote.method(named: method), remote, writesDefaults: defaults,
                    options: caller.callOptions)
                try await run(call, over: channel)
            } catch let status as Status {
                throw Failure(status, schema: remote.schema).exit()
            }
            await client.close()
        }
        await loops.shutDown()
    }

    private func run(_ call: DynamicCall, over channel: any Channel) async throws {
        let console = Console()
        let document =
            document ?? (call.method.streamsRequests ? .standardInput : DocumentArgument.empty)
        if call.method.streamsRequests {
            try await call.stream(document.lines(), over: channel) { console.line($0.text()) }
        } else if call.method.streamsReplies {
            try await call.watch(try document.whole(), over: channel) { console.line($0.text()) }
        } else {
            let reply = try await call.unary(try document.whole(), over: channel)
            console.line(reply.text(.indented))
        }
    }
}

/// Where the requests of a call stand.
enum DocumentArgument: ExpressibleByArgument, Sendable {
    case text(String)
    case file(String)
    case standardInput

    /// A request without fields.
    static let empty = DocumentArgument.text("{}")
    /// No document is larger.
    static let byteCountMax = 8 << 20

    init?(argument: String) {
        switch argument {
        case "-": self = .standardInput
        case _ where argument.hasPrefix("@"): self = .file(String(argument.dropFirst()))
        default: self = .text(argument)
        }
    }

    /// Everything, as one request.
    func whole() throws -> String {
        let data: Data
        switch self {
        case .text(let text): return text
        case .file(let path):
            data = try read(FileHandle(forReadingFrom: URL(filePath: path)))
        case .standardInput: data = try read(FileHandle.standardInput)
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// One request a line; standard input is read as the lines come.
    func lines() throws -> LineSource {
        guard case .standardInput = self else {
            let lines = try whole().split(whereSeparator: \.isNewline).map(String.init)
            return LineSource(lines)
        }
        return LineSource.standardInput
    }

    private func read(_ handle: FileHandle) throws -> Data {
        var data = Data()
        while let more = try handle.read(upToCount: 64 << 10), !more.isEmpty {
            data += more
            guard data.count <= Self.byteCountMax else {
                throw ValidationError("A document has at most \(Self.byteCountMax) bytes.")
            }
        }
        return data
    }
}
