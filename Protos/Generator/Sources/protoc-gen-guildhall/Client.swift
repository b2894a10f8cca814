/// Prints the client of a service.
struct Client {
    let service: ServiceModel

    func print(_ printer: inout Printer) {
        printer.documentation(
            service.documentation(["Calls `\(service.fullName)` over a channel."]), orElse: "")
        // Of a deprecated service only the client is marked: a server must go on serving it.
        printer.deprecation(service.deprecation)
        printer.block("public struct \(service.name)Client: Sendable") { printer in
            printer.line("private let channel: any Channel")
            printer.line()
            printer.line("/// A client that makes its calls over a channel.")
            printer.block("public init(_ channel: any Channel)") { printer in
                printer.line("self.channel = channel")
            }
            for method in service.methods {
                printer.line()
                printer.documentation(method.documentation, orElse: method.summary)
                printer.deprecation(method.deprecation)
                print(method, &printer)
            }
        }
    }

    private func print(_ method: ServiceModel.Method, _ printer: inout Printer) {
        let shape = shape(of: method)
        printer.line("public func \(method.swiftName)\(shape.generics)(")
        printer.indented { printer in
            for line in shape.parameters { printer.line(line) }
        }
        printer.block(") async throws\(shape.result)") { printer in
            printer.line(
                "try await Calls.make(channel, \(service.name)Methods.\(method.swiftName),"
                    + " \(shape.arguments))")
        }
    }

    /// What differs between the kinds of methods.
    private struct Shape {
        var generics = ""
        let parameters: [String]
        let arguments: String
        var result = ""
    }

    private func shape(of method: ServiceModel.Method) -> Shape {
        let options = "options: CallOptions = CallOptions()"
        let (request, reply) = (method.request, method.reply)
        return switch method.kind {
        case .unary:
            Shape(
                parameters: ["_ request: \(request), \(options)"], arguments: "request, options",
                result: " -> \(reply)")
        case .serverStreaming:
            Shape(
                parameters: [
                    "_ request: \(request), \(options),",
                    "onReply: @Sendable (\(reply)) async throws -> Void",
                ],
                arguments: "request, options, onReply")
        case .clientStreaming:
            Shape(
                parameters: [
                    "\(options),",
                    "send: @Sendable (RequestStream<\(request)>) async throws -> Void",
                ],
                arguments: "options, send", result: " -> \(reply)")
        case .bidirectional:
            Shape(
                generics: "<Result: Sendable>",
                parameters: [
                    "\(options),",
                    "_ body: @Sendable (RequestStream<\(request)>, MessageStream<\(reply)>)"
                        + " async throws -> Result",
                ],
                arguments: "options, body", result: " -> Result")
        }
    }
}
