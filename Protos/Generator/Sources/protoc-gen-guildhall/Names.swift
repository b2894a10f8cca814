/// How names of a .proto file read in Swift and in protoc-c's output.
enum Names {
    /// Words that keep their capitals in Swift.
    private static let initialisms: [String: String] = [
        "api": "API", "csv": "CSV", "html": "HTML", "http": "HTTP", "https": "HTTPS", "id": "ID",
        "ids": "IDs", "ip": "IP", "json": "JSON", "rpc": "RPC", "sql": "SQL", "sso": "SSO",
        "tls": "TLS", "uri": "URI", "url": "URL", "urls": "URLs", "uuid": "UUID",
    ]

    /// Words that Swift keeps for itself.
    private static let reserved: Set<String> = [
        "Any", "Protocol", "Self", "Type", "as", "associatedtype", "await", "break", "case",
        "catch", "class", "continue", "default", "defer", "deinit", "do", "else", "enum",
        "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "import",
        "in", "init", "inout", "internal", "is", "let", "nil", "operator", "precedencegroup",
        "private", "protocol", "public", "repeat", "rethrows", "return", "self", "static",
        "struct", "subscript", "super", "switch", "throw", "throws", "true", "try", "typealias",
        "var", "where", "while",
    ]

    /// Type names that generated code relies on.
    static let taken: Set<String> = [
        "Any", "Arena", "Array", "Bool", "Bridged", "CallContext", "CallOptions", "Calls",
        "Channel", "Codec", "DecodingFault", "DecodingLimits", "Dictionary", "Double",
        "FileDescriptors", "Float", "Hashable", "Int", "Int32", "Int64", "Lift", "Message",
        "MessageStream", "MethodDescriptor", "Optional", "OutputRawSpan", "PartlyDeprecatedEnum",
        "PartlyDeprecatedOneof", "Protocol", "RawSpan", "RegisteredMethod", "ReplyStream",
        "RequestStream", "Result", "Self", "Sendable", "String", "Type", "UInt32", "UInt64",
        "UInt8", "UnsafeMutablePointer", "UnsafePointer",
    ]

    /// Those of which a type within another may have the name, too.
    static let takenAtTop: Set<String> = ["CallEnded", "MetadataKey", "Payload", "Status"]

    /// Names that C and C++ keep for themselves, as protoc-c sees it: it appends an underscore.
    private static let reservedInC: Set<String> = [
        "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch",
        "char", "class", "compl", "const", "const_cast", "continue", "default", "delete", "do",
        "double", "dynamic_cast", "else", "enum", "explicit", "extern", "false", "float", "for",
        "friend", "goto", "if", "inline", "int", "long", "mutable", "namespace", "new", "not",
        "not_eq", "operator", "or", "or_eq", "private", "protected", "public", "register",
        "reinterpret_cast", "return", "short", "signed", "sizeof", "static", "static_cast",
        "struct", "switch", "template", "this", "throw", "true", "try", "typedef", "typeid",
        "typename", "union", "unsigned", "using", "virtual", "void", "volatile", "wchar_t",
        "while", "xor", "xor_eq",
    ]

    /// `parent_id` → `parentID`; not yet escaped.
    static func lowerCamel(_ snake: String) -> String {
        let words = snake.split(separator: "_").map { $0.lowercased() }
        guard let first = words.first else { return snake }
        return first + words.dropFirst().map(capitalized).joined()
    }

    /// `subject_kind` → `SubjectKind`.
    static func upperCamel(_ snake: String) -> String {
        snake.split(separator: "_").map { capitalized($0.lowercased()) }.joined()
    }

    private static func capitalized(_ word: String) -> String {
        initialisms[word] ?? word.prefix(1).uppercased() + word.dropFirst()
    }

    /// `GetOrganization` → `getOrganization`, `URLOf` → `urlOf`.
    static func lowerFirst(_ camel: String) -> String {
        let capitals = camel.prefix { $0.isUppercase }
        if capitals.count == camel.count { return camel.lowercased() }
        let lowered = max(1, capitals.count - 1)
        return camel.prefix(lowered).lowercased() + camel.dropFirst(lowered)
    }

    /// `OrganizationCategory` → `ORGANIZATION_CATEGORY`.
    static func upperSnake(_ camel: String) -> String {
        snake(camel).uppercased()
    }

    /// A name in backticks when Swift needs them; some cannot be members even so.
    static func escaped(_ name: String) -> String {
        if ["init", "self"].contains(name) { return name + "_" }
        return reserved.contains(name) ? "`\(name)`" : name
    }

    /// `guildhall.rpc.v1.Frame` → `Guildhall__Rpc__V1__Frame`, protoc-c's type.
    static func cType(_ fullName: String) -> String {
        fullName.split(separator: ".").map { part in
            part.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        }.joined(separator: "__")
    }

    /// `guildhall.rpc.v1.Frame` → `guildhall__rpc__v1__frame`, the start of protoc-c's functions.
    static func cFunction(_ fullName: String) -> String {
        fullName.split(separator: ".").map { snake(String($0)) }.joined(separator: "__")
    }

    /// The name of a field in protoc-c's struct.
    static func cField(_ name: String) -> String {
        let lowered = name.lowercased()
        return reservedInC.contains(lowered) ? lowered + "_" : lowered
    }

    /// protoc-c's way: an underscore before a capital that follows no capital.
    private static func snake(_ camel: String) -> String {
        var result = ""
        var afterCapital = true
        for character in camel {
            if character.isUppercase, !afterCapital { result += "_" }
            result += character.lowercased()
            afterCapital = character.isUppercase
        }
        return result
    }
}
