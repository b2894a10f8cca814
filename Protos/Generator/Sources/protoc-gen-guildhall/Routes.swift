import SwiftProtobufPluginLibrary

/// Prints the gateway's table of HTTP routes.
struct Routes {
    private struct Route {
        let rule: HTTPRule
        let method: MethodDescriptor
        let bodyIsBytes: Bool
    }

    private let routes: [Route]

    init(_ files: [FileDescriptor]) throws {
        routes = try files.flatMap(\.services).flatMap(\.methods).flatMap { method in
            try HTTPRule.rules(of: method).map { rule in
                let field = method.inputType.fields.first { $0.name == rule.body }
                let takesFile = field?.type == .bytes && !method.serverStreaming
                let answersFile = method.outputType.isFilePart && !method.clientStreaming
                guard !method.clientStreaming || takesFile, !method.serverStreaming || answersFile
                else {
                    throw Refusal(
                        method.fullName,
                        "a method that streams can have an HTTP route for files alone")
                }
                guard ["", "*"].contains(rule.body) || field != nil else {
                    throw Refusal(method.fullName, "the request has no field \(rule.body)")
                }
                return Route(rule: rule, method: method, bodyIsBytes: field?.type == .bytes)
            }
        }
        var seen: Set<String> = []
        for route in routes {
            let key = "\(route.rule.verb) \(route.rule.template)"
            guard seen.insert(key).inserted else {
                throw Refusal(route.method.fullName, "two methods have the route \(key)")
            }
        }
    }

    func print() -> String {
        var printer = Printer.swift(
            from: "the annotations google.api.http",
            imports: ["import Messages", "import RPC", "import SwiftProtobuf"])
        printer.line()
        printer.line("/// A route of the HTTP API and the call that serves it.")
        printer.block("struct Route: Sendable") { printer in
            printer.line("/// The HTTP method, in capitals.")
            printer.line("let verb: String")
            printer.line("/// The path with fields of the request in braces.")
            printer.line("let template: String")
            printer.line(
                "/// What the body fills: nothing when empty, the request when `*`, else a field.")
            printer.line("let body: String")
            printer.line("/// Whether that field takes the body's bytes as they are.")
            printer.line("let bodyIsBytes: Bool")
            printer.line("/// The call.")
            printer.line("let method: MethodDescriptor")
            printer.line("/// The request, by which JSON is read.")
            printer.line("let request: any SwiftProtobuf.Message.Type")
            printer.line("/// The reply, by which JSON is written.")
            printer.line("let reply: any SwiftProtobuf.Message.Type")
        }
        printer.line()
        printer.line("/// Every route, in the order of the .proto files.")
        printer.block("enum Routes") { printer in
            printer.line("static let all: [Route] = [")
            printer.indented { printer in
                for route in routes { print(route, &printer) }
            }
            printer.line("]")
        }
        return printer.text
    }

    private func print(_ route: Route, _ printer: inout Printer) {
        let namer = SwiftProtobufNamer()
        let method = route.method
        let name = Names.escaped(Names.lowerFirst(method.name))
        printer.line("Route(")
        printer.indented { printer in
            printer.line("verb: \"\(route.rule.verb)\",")
            printer.line("template: \"\(route.rule.template)\",")
            printer.line("body: \"\(route.rule.body)\",")
            printer.line("bodyIsBytes: \(route.bodyIsBytes),")
            printer.line("method: \(method.service.name)Methods.\(name),")
            printer.line("request: \(namer.fullName(message: method.inputType)).self,")
            printer.line("reply: \(namer.fullName(message: method.outputType)).self),")
        }
    }
}

extension Descriptor {
    /// Whether messages of this type are the parts of a file: its name, its type and bytes of it.
    fileprivate var isFilePart: Bool {
        let types = Dictionary(
            fields.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
        return types["name"] == .string && types["content_type"] == .string
            && types["data"] == .bytes
    }
}
