import Encodings

/// The routes as a page for people, made of the OpenAPI document.
struct DocsPage: Sendable {
    /// The whole document, in which references are looked up.
    private let document: JSONValue

    init(_ document: JSONValue) {
        self.document = document
    }

    /// The page.
    var frame: PageFrame { PageFrame(title: "Guildhall API", content: content) }

    /// One call at a path.
    private struct Operation {
        let verb: String
        let path: String
        let parts: JSONValue
    }

    private var content: String {
        let operations = (document["paths"]?.members ?? []).flatMap { path in
            path.value.members.map { verb in
                Operation(verb: verb.name.uppercased(), path: path.name, parts: verb.value)
            }
        }
        let byTag = Dictionary(grouping: operations) { $0.parts["tags"]?.elements.first?.text }
        let tags = document["tags"]?.elements ?? []
        let services = tags.map { tag -> String in
            let name = tag["name"]?.text ?? ""
            return """
                <li><a href="#\(HTML.escaped(name))">\(HTML.escaped(name))</a>
                <span>\(byTag[name]?.count ?? 0) routes</span></li>
                """
        }
        return """
            <h1>Guildhall API</h1>
            \(paragraphs(document["info"]?["description"], leadingWith: "lead"))
            <p>The same for programs: <a href="\(Documentation.documentPath)">openapi.json</a>.</p>
            <h2>Services</h2>
            <ul class="rows">\(services.joined())
            <li><a href="#types">Types</a><span>\(schemas.count)</span></li></ul>
            \(tags.map { section($0, byTag) }.joined(separator: "\n"))
            <section aria-labelledby="types"><h2 id="types">Types</h2>
            \(schemas.map(type).joined(separator: "\n"))
            </section>
            """
    }

    private var schemas: [JSONValue.Member] { document["components"]?["schemas"]?.members ?? [] }

    private func section(_ tag: JSONValue, _ byTag: [String?: [Operation]]) -> String {
        let name = tag["name"]?.text ?? ""
        return """
            <section aria-labelledby="\(HTML.escaped(name))">
            <h2 id="\(HTML.escaped(name))">\(HTML.escaped(name))</h2>
            \(paragraphs(tag["description"]))
            \((byTag[name] ?? []).map(article).joined(separator: "\n"))
            </section>
            """
    }

    private func article(_ operation: Operation) -> String {
        let parts = operation.parts
        let isOpen = parts["security"] == .array([])
        let isDeprecated = parts["deprecated"] == .bool(true)
        return """
            <article id="\(HTML.escaped(parts["operationId"]?.text ?? ""))">
            <h3><span class="verb">\(operation.verb)</span> \
            <code>\(Self.breakable(operation.path))</code></h3>
            \(paragraphs(parts["description"]))
            \(isOpen ? #"<p class="note">Needs no session.</p>"# : "")\
            \(isDeprecated ? #"<p class="note">Deprecated.</p>"# : "")
            <details><summary>Request and answer</summary>
            \(parameters(parts))\(body(parts))\(answers(parts))
            </details>
            </article>
            """
    }

    /// A path that may go on in a new line behind a slash and before a colon.
    private static func breakable(_ path: String) -> String {
        HTML.escaped(path).replacing("/", with: "/<wbr>").replacing(":", with: "<wbr>:")
    }

    // MARK: Requests

    private func parameters(_ parts: JSONValue) -> String {
        let parameters = (parts["parameters"]?.elements ?? []).map(resolved)
        return [("path", "In the path"), ("query", "In the query"), ("header", "Header fields")]
            .map { place, title in
                let fields = parameters.filter { $0["in"]?.text == place }.map { parameter in
                    field(parameter["name"]?.text ?? "", parameter["schema"], parameter)
                }
                return list(title, fields)
            }.joined()
    }

    private func body(_ parts: JSONValue) -> String {
        guard let body = parts["requestBody"] else { return "" }
        let content = body["content"]?.members ?? []
        guard let schema = content.first?.value["schema"] else {
            return "<h4>The body is a file</h4>\(files(content))\(paragraphs(body["description"]))"
        }
        let request = resolved(schema)
        let required = Set((request["required"]?.elements ?? []).compactMap(\.text))
        return "<h4>In the body: \(typeName(schema))</h4>"
            + fields(of: request, marking: required)
    }

    private func answers(_ parts: JSONValue) -> String {
        (parts["responses"]?.members ?? []).map { response -> String in
            guard let content = response.value["content"]?.members else { return "" }
            guard let schema = content.first?.value["schema"] else {
                return "<h4>Answer \(response.name): a file</h4>\(files(content))"
            }
            return "<h4>Answer \(response.name): \(typeName(schema))</h4>"
        }.joined()
    }

    private func files(_ content: [JSONValue.Member]) -> String {
        let types = content.map { "<code>\(HTML.escaped($0.name))</code>" }
        return #"<p class="note">\#(types.joined(separator: ", "))</p>"#
    }

    // MARK: Types

    private func type(_ schema: JSONValue.Member) -> String {
        let names = (schema.value["enum"]?.elements ?? []).compactMap(\.text)
        let text = schema.value["description"]?.text ?? ""
        var lines = text.split(separator: "\n").map(String.init)
        // What is said of a value stands beside it.
        let values = names.map { name -> String in
            let start = "\(name): "
            let said = lines.first { $0.hasPrefix(start) }?.dropFirst(start.count)
            return item(name, "", said.map(String.init) ?? "")
        }
        lines.removeAll { line in names.contains { line.hasPrefix("\($0): ") } }
        return """
            <article id="type-\(HTML.escaped(schema.name))">
            <h3><code>\(HTML.escaped(schema.name))</code></h3>
            \(paragraphs(.string(lines.joined(separator: "\n"))))
            \(values.isEmpty ? fields(of: schema.value) : list(nil, values))
            </article>
            """
    }

    private func fields(of schema: JSONValue, marking required: Set<String> = []) -> String {
        list(
            nil,
            (schema["properties"]?.members ?? []).map { property in
                field(
                    property.name, property.value, property.value,
                    isRequired: required.contains(property.name))
            })
    }

    private func list(_ title: String?, _ items: [String]) -> String {
        guard !items.isEmpty else { return "" }
        return (title.map { "<h4>\($0)</h4>" } ?? "")
            + #"<ul class="fields">\#(items.joined())</ul>"#
    }

    private func item(_ name: String, _ note: String, _ sentence: String) -> String {
        """
        <li><code>\(HTML.escaped(name))</code>\
        \(note.isEmpty ? "" : #" <span class="note">\#(note)</span>"#)\
        \(sentence.isEmpty ? "" : "<p>\(HTML.escaped(sentence))</p>")</li>
        """
    }

    private func field(
        _ name: String, _ schema: JSONValue?, _ description: JSONValue, isRequired: Bool = false
    ) -> String {
        item(
            name, (schema.map(typeName) ?? "") + (isRequired ? ", required" : ""),
            description["description"]?.text ?? "")
    }

    /// What a schema is called: a link to the type that it refers to, else its kind.
    private func typeName(_ schema: JSONValue) -> String {
        if let name = schema["$ref"]?.text?.split(separator: "/").last {
            let name = HTML.escaped(String(name))
            return ##"<a href="#type-\##(name)">\##(name)</a>"##
        }
        if let element = schema["items"] { return "list of \(typeName(element))" }
        if let value = schema["additionalProperties"], schema["properties"] == nil {
            return "names, each with \(typeName(value))"
        }
        let types = schema["type"].map { type in
            type.text.map { [$0] } ?? type.elements.compactMap(\.text)
        }
        let format = schema["format"] ?? schema["contentEncoding"]
        return HTML.escaped((types ?? []).joined(separator: " or "))
            + (format?.text.map { " (\(HTML.escaped($0)))" } ?? "")
    }

    /// What a reference stands for; anything else stands for itself.
    private func resolved(_ part: JSONValue) -> JSONValue {
        guard let reference = part["$ref"]?.text else { return part }
        return reference.split(separator: "/").dropFirst().reduce(document) { place, name in
            place[String(name)] ?? .emptyObject
        }
    }

    private func paragraphs(_ text: JSONValue?, leadingWith look: String? = nil) -> String {
        let parts = (text?.text ?? "").split(separator: "\n").map(String.init)
        return parts.enumerated().map { position, part in
            let mark = position == 0 ? look.map { #" class="\#($0)""# } ?? "" : ""
            return "<p\(mark)>\(HTML.escaped(part))</p>"
        }.joined(separator: "\n")
    }
}

extension JSONValue {
    fileprivate var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    fileprivate var elements: [JSONValue] {
        if case .array(let elements) = self { elements } else { [] }
    }
}
