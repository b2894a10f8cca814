/// Prints, for each service, its protocols, its methods and its client.
struct Services {
    let file: FileModel
    /// The module with `Calls` when it is another one.
    let support: String?
    /// The full names of the services that get the synchronous form, too.
    let synchronous: Set<String>

    private var imports: [String] {
        guard let support else { return ["public import RPC"] }
        let access = file.servicesUseWellKnown ? "public import" : "import"
        return ["public import RPC", "@testable \(access) \(support)"]
    }

    func print() -> String {
        var printer = Printer.swift(from: file.protoName, imports: imports)
        for service in file.services {
            let forms: [ServiceForm] =
                synchronous.contains(service.fullName)
                ? [.asynchronous, .synchronous] : [.asynchronous]
            for form in forms {
                printer.line()
                printProtocol(service, form, &printer)
                printer.line()
                printRegistration(service, form, &printer)
            }
            printer.line()
            printMethods(service, &printer)
            printer.line()
            Client(service: service).print(&printer)
        }
        return printer.text
    }

    private func printProtocol(
        _ service: ServiceModel, _ form: ServiceForm, _ printer: inout Printer
    ) {
        printer.documentation(
            service.documentation(form.summary(of: service)), orElse: "")
        printer.block("public protocol \(form.name(of: service)): Sendable") { printer in
            for (position, method) in service.methods.enumerated() {
                if position > 0 { printer.line() }
                printer.documentation(method.documentation, orElse: method.summary)
                printer.line("func \(method.swiftName)(")
                printer.indented { printer in
                    let comma = method.kind.streamsReplies ? "," : ""
                    printer.line("\(method.parameter), _ context: CallContext\(comma)")
                    guard method.kind.streamsReplies else { return }
                    printer.line("_ replies: ReplyStream<\(method.reply)>")
                }
                let result = method.kind.streamsReplies ? "" : " -> \(method.reply)"
                printer.line(") \(form.effects(of: method))\(result)")
            }
        }
    }

    private func printRegistration(
        _ service: ServiceModel, _ form: ServiceForm, _ printer: inout Printer
    ) {
        printer.block("extension \(form.name(of: service))") { printer in
            printer.line("/// Every method of the service with this implementation as its handler.")
            printer.block("public var registeredMethods: [RegisteredMethod]") { printer in
                printer.line("[")
                printer.indented { printer in
                    for method in service.methods {
                        printRegistration(of: method, service, form, &printer)
                    }
                }
                printer.line("]")
            }
        }
    }

    /// A unary method is wrapped here and not in `Calls`: every closure on the way of a call costs.
    private func printRegistration(
        of method: ServiceModel.Method, _ service: ServiceModel, _ form: ServiceForm,
        _ printer: inout Printer
    ) {
        let descriptor = "\(service.name)Methods.\(method.swiftName)"
        guard method.kind == .unary else {
            let arguments = method.kind.streamsReplies ? "$0, $1, $2" : "$0, $1"
            printer.line(
                "Calls.registered(\(descriptor)) {"
                    + " try await self.\(method.swiftName)(\(arguments)) },")
            return
        }
        let waits = form.waits(in: method)
        let limits = method.isBulk ? ", limits: .bulk" : ""
        let call = "self.\(method.swiftName)(Calls.request(in: payload\(limits)), context)"
        printer.line(
            "RegisteredMethod(\(descriptor), .\(waits ? "unary" : "synchronous")"
                + " { payload, context in")
        printer.indented { printer in
            printer.line(".message(\(waits ? "try await" : "try") \(call))")
        }
        printer.line("}),")
    }

    private func printMethods(_ service: ServiceModel, _ printer: inout Printer) {
        printer.line("/// The methods of `\(service.fullName)`.")
        printer.block("public enum \(service.name)Methods") { printer in
            for method in service.methods {
                printer.documentation(method.documentation, orElse: method.summary)
                printer.line("public static let \(method.swiftName) = MethodDescriptor(")
                printer.indented { printer in
                    printer.line("service: \"\(service.fullName)\", name: \"\(method.name)\",")
                    printer.line(
                        "kind: .\(method.kind.rawValue), idempotency: .\(method.idempotency)"
                            + (method.isBulk ? ", isBulk: true)" : ")"))
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
}

/// How the handlers of a service's unary methods run.
enum ServiceForm {
    /// In tasks; they may wait.
    case asynchronous
    /// On the threads of the connections.
    case synchronous

    func name(of service: ServiceModel) -> String {
        self == .synchronous ? "Synchronous\(service.name)Service" : "\(service.name)Service"
    }

    func waits(in method: ServiceModel.Method) -> Bool {
        self == .asynchronous || method.kind != .unary
    }

    func effects(of method: ServiceModel.Method) -> String {
        waits(in: method) ? "async throws" : "throws"
    }

    func summary(of service: ServiceModel) -> [String] {
        let summary = "What a server of `\(service.fullName)` implements"
        guard self == .synchronous else { return ["\(summary)."] }
        return [
            "\(summary) when its unary methods never wait.", "",
            "For reads of what is in memory: a unary method runs on the thread that reads the",
            "connections, and holds all of them up while it runs.",
        ]
    }
}

extension ServiceModel {
    /// A summary, and the comment of the .proto file.
    func documentation(_ summary: [String]) -> [String] {
        summary + (documentation.isEmpty ? [] : [""] + documentation)
    }
}

extension ServiceModel.Method {
    /// What is said of a method without a comment.
    var summary: String { "The method `\(name)`." }

    /// The first parameter of a handler.
    var parameter: String {
        kind.streamsRequests
            ? "_ requests: MessageStream<\(request)>" : "_ request: \(request)"
    }
}
