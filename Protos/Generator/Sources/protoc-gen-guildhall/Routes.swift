import SwiftProtobufPluginLibrary

/// Prints the gateway's tables: HTTP routes, and what its methods are beside that.
struct Routes {
    struct Route {
        let rule: HTTPRule
        let method: MethodDescriptor
        let options: HTTPOptions
        let bodyIsBytes: Bool

        /// The status of an answer.
        var status: Int {
            if method.clientStreaming { return 202 }
            return rule.verb == "POST" && options.creates ? 201 : 200
        }

        /// The field that the body has to name.
        var replaced: FieldDescriptor? { rule.verb == "PUT" ? options.replaced : nil }

        /// The path of the field that names the organization at which a refusal is explained, in
        /// JSON; empty when there is none.
        var explanationPlace: String {
            let said = options.explanationPlace
            let path =
                said.isEmpty
                ? method.inputType.fields.filter { $0.name == "organization_id" } : said
            return path.map(\.nameInJSON).joined(separator: ".")
        }
    }

    /// A method that explains refusals, at a path.
    private struct Explanation {
        let route: Route
        let codes: [String]
        let methods: [MethodDescriptor]
    }

    let all: [Route]
    private let explanations: [Explanation]
    private let methods: [(method: MethodDescriptor, options: HTTPOptions)]

    init(_ files: [FileDescriptor]) throws {
        methods = try files.flatMap(\.services).flatMap(\.methods).map { method in
            (method, try HTTPOptions(of: method))
        }
        all = try methods.flatMap { method, options in
            try HTTPRule.rules(of: method).map { rule in
                try Self.route(rule, method, options)
            }
        }
        var seen: Set<String> = []
        for route in all {
            let key = "\(route.rule.verb) \(route.rule.template)"
            guard seen.insert(key).inserted else {
                throw Refusal(route.method.fullName, "two methods have the route \(key)")
            }
        }
        explanations = try Self.explanations(methods, all)
    }

    private static func route(
        _ rule: HTTPRule, _ method: MethodDescriptor, _ options: HTTPOptions
    ) throws -> Route {
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
        guard !method.clientStreaming || options.check != nil else {
            throw Refusal(
                method.fullName, "a method that takes a file names the one by which it is checked")
        }
        guard rule.verb != "PUT" || rule.body != "*" || options.replaced != nil else {
            throw Refusal(method.fullName, "a PUT names the field that it replaces")
        }
        return Route(
            rule: rule, method: method, options: options, bodyIsBytes: field?.type == .bytes)
    }

    private static func explanations(
        _ methods: [(method: MethodDescriptor, options: HTTPOptions)], _ routes: [Route]
    ) throws -> [Explanation] {
        try methods.filter { !$0.options.explained.isEmpty }.map { method, options in
            guard let route = routes.first(where: { $0.method === method }) else {
                throw Refusal(method.fullName, "what explains refusals has an HTTP route")
            }
            guard route.rule.variables.count <= 1 else {
                throw Refusal(
                    method.fullName, "the path of an explanation has one variable at most")
            }
            return Explanation(
                route: route, codes: options.explained, methods: options.explainedMethods)
        }
    }

    func print() throws -> String {
        var printer = Printer.swift(
            from: "the annotations google.api.http and guildhall.http.v1",
            imports: ["import Messages", "import RPC", "import SwiftProtobuf"])
        printer.line()
        try printer.block("enum Routes") { printer in
            printer.line("/// Every route, in the order of the .proto files.")
            printer.line("static let all: [Route] = [")
            try printer.indented { printer in
                for route in all { try print(route, &printer) }
            }
            printer.line("]")
            printer.line()
            printer.line("/// The methods that need no principal.")
            printer.line("static let openMethods: Set<MethodDescriptor> = [")
            printer.indented { printer in
                for (method, options) in methods where options.isOpen {
                    printer.line("\(Self.name(of: method)),")
                }
            }
            printer.line("]")
            printer.line()
            printer.line(
                "/// The person whose rights a call may have changed, by its method, in its reply.")
            printer.line(
                "static let changedPeople: [MethodDescriptor: @Sendable ([UInt8]) throws -> String]"
                    + " = [")
            printer.indented { printer in
                for (method, options) in methods { print(method, options, &printer) }
            }
            printer.line("]")
            printer.line()
            printer.line("/// Puts the token of the session that makes a call into its request.")
            printer.line(
                "static let tokenFillers: [MethodDescriptor: "
                    + "@Sendable ([UInt8], String) throws -> [UInt8]] = [")
            try printer.indented { printer in
                for (method, _) in methods { try printFiller(method, &printer) }
            }
            printer.line("]")
            printer.line()
            printer.line("/// Where refusals are explained.")
            printer.line("static let explanations: [Explanation] = [")
            printer.indented { printer in
                for explanation in explanations { print(explanation, &printer) }
            }
            printer.line("]")
        }
        return printer.text
    }

    private func print(_ route: Route, _ printer: inout Printer) throws {
        let namer = SwiftProtobufNamer()
        let method = route.method
        let token = try Self.token(of: method)
        var lines = [
            "verb: \"\(route.rule.verb)\"", "template: \"\(route.rule.template)\"",
            "body: \"\(route.rule.body)\"", "bodyIsBytes: \(route.bodyIsBytes)",
            "method: \(Self.name(of: method))",
            "request: \(namer.fullName(message: method.inputType)).self",
            "reply: \(namer.fullName(message: method.outputType)).self",
        ]
        if route.status != 200 { lines.append("status: \(route.status)") }
        if route.options.isOpen { lines.append("isOpen: true") }
        if let field = route.replaced {
            let mayBeNull = field.hasPresence ? ", mayBeNull: true" : ""
            lines.append("replacedField: ReplacedField(name: \"\(field.nameInJSON)\"\(mayBeNull))")
        }
        if let check = route.options.check { lines.append("check: \(Self.name(of: check))") }
        if let token { lines.append("sessionTokenField: \"\(token.nameInJSON)\"") }
        if !route.explanationPlace.isEmpty {
            lines.append("explanationPlace: \"\(route.explanationPlace)\"")
        }
        printer.line("Route(")
        printer.indented { printer in
            for (position, line) in lines.enumerated() {
                printer.line(line + (position == lines.count - 1 ? ")," : ","))
            }
        }
    }

    private func print(
        _ method: MethodDescriptor, _ options: HTTPOptions, _ printer: inout Printer
    ) {
        guard let field = options.changedPerson else { return }
        let namer = SwiftProtobufNamer()
        let type = namer.fullName(message: method.outputType)
        let property = namer.messagePropertyNames(
            field: field, prefixed: "", includeHasAndClear: false
        ).name
        printer.line(
            "\(Self.name(of: method)): { try \(type)(serializedBytes: $0).\(property) },")
    }

    private func printFiller(_ method: MethodDescriptor, _ printer: inout Printer) throws {
        guard let field = try Self.token(of: method) else { return }
        let namer = SwiftProtobufNamer()
        let property = namer.messagePropertyNames(
            field: field, prefixed: "", includeHasAndClear: false
        ).name
        printer.line("\(Self.name(of: method)): { request, token in")
        printer.indented { printer in
            let type = namer.fullName(message: method.inputType)
            printer.line("var request = try \(type)(serializedBytes: request)")
            printer.line("request.\(property) = token")
            printer.line("return try request.serializedBytes()")
        }
        printer.line("},")
    }

    /// The field that the gateway fills with the token of the session.
    private static func token(of method: MethodDescriptor) throws -> FieldDescriptor? {
        try method.inputType.fields.first { try $0.isSessionToken }
    }

    private func print(_ explanation: Explanation, _ printer: inout Printer) {
        let codes = explanation.codes.map { "\"\($0)\"" }.joined(separator: ", ")
        let methods = explanation.methods.map(Self.name).joined(separator: ", ")
        printer.line("Explanation(")
        printer.indented { printer in
            printer.line("codes: [\(codes)],")
            if !explanation.methods.isEmpty { printer.line("methods: [\(methods)],") }
            printer.line("template: \"\(explanation.route.rule.template)\"),")
        }
    }

    private static func name(of method: MethodDescriptor) -> String {
        "\(method.service.name)Methods.\(Names.escaped(Names.lowerFirst(method.name)))"
    }
}

extension Descriptor {
    /// Whether messages of this type are the parts of a file: its name, its type and bytes of it.
    var isFilePart: Bool {
        let types = Dictionary(
            fields.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
        return types["name"] == .string && types["content_type"] == .string
            && types["data"] == .bytes
    }
}
