/// Prints, for each service, its protocol, its methods and its client.
struct Services {
    let file: FileModel

    func print() -> String {
        var printer = Printer.swift(from: file.protoName, imports: ["public import RPC"])
        for service in file.services {
            printer.line()
            printProtocol(service, &printer)
            printer.line()
            printRegistration(service, &printer)
            printer.line()
            printMethods(service, &printer)
            printer.line()
            printClient(service, &printer)
        }
        return printer.text
    }

    private func documentation(_ service: ServiceModel, _ summary: String) -> [String] {
        [summary] + (service.documentation.isEmpty ? [] : [""] + service.documentation)
    }

    private func documentation(_ method: ServiceModel.Method) -> [String] {
        method.documentation.isEmpty ? ["The method `\(method.name)`."] : method.documentation
    }

    private func printProtocol(_ service: ServiceModel, _ printer: inout Printer) {
        printer.documentation(
            documentation(service, "What a server of `\(service.fullName)` implements."), orElse: ""
        )
        printer.block("public protocol \(service.name)Service: Sendable") { printer in
            for (position, method) in service.methods.enumerated() {
                if position > 0 { printer.line() }
                printer.documentation(documentation(method), orElse: "")
                printer.line("func \(method.swiftName)(")
                printer.indented { printer in
                    if method.streamsReplies {
                        printer.line("_ request: \(method.request), _ context: CallContext,")
                        printer.line("_ replies: ReplyStream<\(method.reply)>")
                    } else {
                        printer.line("_ request: \(method.request), _ context: CallContext")
                    }
                }
                printer.line(
                    method.streamsReplies ? ") async throws" : ") async throws -> \(method.reply)")
            }
        }
    }

    private func printRegistration(_ service: ServiceModel, _ printer: inout Printer) {
        printer.block("extension \(service.name)Service") { printer in
            printer.line("/// Every method of the service with this implementation as its handler.")
            printer.block("public var registeredMethods: [RegisteredMethod]") { printer in
                printer.line("[")
                printer.indented { printer in
                    for method in service.methods {
                        let descriptor = "\(service.name)Methods.\(method.swiftName)"
                        let arguments = method.streamsReplies ? "$0, $1, $2" : "$0, $1"
                        printer.line(
                            "Calls.registered(\(descriptor)) {"
                                + " try await self.\(method.swiftName)(\(arguments)) },")
                    }
                }
                printer.line("]")
            }
        }
    }

    private func printMethods(_ service: ServiceModel, _ printer: inout Printer) {
        printer.line("/// The methods of `\(service.fullName)`.")
        printer.block("public enum \(service.name)Methods") { printer in
            for method in service.methods {
                printer.documentation(documentation(method), orElse: "")
                printer.line("public static let \(method.swiftName) = MethodDescriptor(")
                printer.indented { printer in
                    printer.line("service: \"\(service.fullName)\", name: \"\(method.name)\",")
                    let kind = method.streamsReplies ? "serverStreaming" : "unary"
                    printer.line("kind: .\(kind), idempotency: .\(method.idempotency))")
                }
                printer.line()
            }
            printer.line("/// Every method, in the order of the .proto file.")
            printer.line("public static let all: [MethodDescriptor] = [")
            printer.indented { printer in
                for method in service.methods { printer.line("\(method.swiftName),") }
            }
            printer.line("]")
        }
    }

    private func printClient(_ service: ServiceModel, _ printer: inout Printer) {
        printer.documentation(
            documentation(service, "Calls `\(service.fullName)` over a channel."), orElse: "")
        printer.block("public struct \(service.name)Client: Sendable") { printer in
            printer.line("private let channel: any Channel")
            printer.line()
            printer.line("/// A client that makes its calls over a channel.")
            printer.block("public init(_ channel: any Channel)") { printer in
                printer.line("self.channel = channel")
            }
            for method in service.methods {
                printer.line()
                printer.documentation(documentation(method), orElse: "")
                let descriptor = "\(service.name)Methods.\(method.swiftName)"
                printer.line("public func \(method.swiftName)(")
                printer.indented { printer in
                    printer.line(
                        "_ request: \(method.request), options: CallOptions = CallOptions()"
                            + (method.streamsReplies ? "," : ""))
                    guard method.streamsReplies else { return }
                    printer.line(
                        "onReply: @Sendable (\(method.reply)) async throws -> Void")
                }
                let result = method.streamsReplies ? "" : " -> \(method.reply)"
                printer.block(") async throws\(result)") { printer in
                    let consumer = method.streamsReplies ? ", onReply" : ""
                    printer.line(
                        "try await Calls.make(channel, \(descriptor), request, options\(consumer))")
                }
            }
        }
    }
}
