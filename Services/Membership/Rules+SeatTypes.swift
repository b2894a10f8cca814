import Access
import ServiceKit

// What people set at seat types and license types.

/// The name of a seat type or license type, with the key by which it is unique.
struct TypeName: Sendable, Hashable {
    static let charactersMax = 120
    /// Some characters become many in the key, which page tokens carry.
    static let keyBytesMax = 4 * charactersMax

    /// In normal form C, with one space between words.
    let text: String
    /// Equal for names that a person reads as the same.
    let key: String

    /// A name as it is stored.
    init(stored text: String, key: String) {
        self.text = text
        self.key = key
    }

    init(_ input: String, field: String) throws(FieldFault) {
        let tooLong = FieldFault(
            field: field, sentence: "The name may have at most \(Self.charactersMax) characters.")
        // Bounded first: the rest looks at every character several times.
        guard input.utf8.count <= 16 * Self.charactersMax else { throw tooLong }
        guard input.unicodeScalars.allSatisfy({ Text.isAcceptable($0, in: .line) }) else {
            throw FieldFault(
                field: field,
                sentence: "The name must not contain control or direction-changing characters.")
        }
        let words = input.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let text = Text.normalized(words)
        // What cannot be seen tells no names apart.
        var visible = String.UnicodeScalarView()
        visible.append(
            contentsOf: text.unicodeScalars.filter { !$0.properties.isDefaultIgnorableCodePoint })
        let key = Text.matchingKey(String(visible))
        guard !key.isEmpty else {
            throw FieldFault(field: field, sentence: "Please type a name.")
        }
        guard text.unicodeScalars.count <= Self.charactersMax, key.utf8.count <= Self.keyBytesMax
        else { throw tooLong }
        self.init(stored: text, key: key)
    }
}

/// What people set at a seat type or license type.
struct TypeDetails: Sendable, Hashable {
    /// The most identifiers of a list.
    static let listMax = 500
    /// The most types of a kind: they are made by hand.
    static let typesMax: Int64 = 1_000

    var name: TypeName
    /// Those that a seat type gives; a license type gives none.
    var licenses: [LicenseTypeID] = []
    var courses: [CourseID] = []

    /// What a new type is before anything is set.
    static let blank = TypeDetails(name: TypeName(stored: "", key: ""))
}

/// What came in for a seat type or license type, unchecked.
struct TypeInput: Sendable, Hashable {
    var name: String
    var licenses: [String] = []
    var courses: [String]
    /// Where the fields stand in the request: empty, or a path with a dot.
    var prefix = ""
}

/// A field of a seat type or license type that people may change.
enum TypeField: String, CaseIterable, Sendable {
    case name
    case licenses = "license_type_ids"
    case courses = "course_ids"

    /// The fields that a license type has.
    static let ofLicenseTypes: [TypeField] = [.name, .courses]

    /// The fields that are answered and never taken.
    private static let answered: Set<String> = [
        "id", "is_default", "created_at", "updated_at", "version", "etag",
    ]

    /// The fields that a mask names; without names, those that are not at their default.
    ///
    /// - Parameters:
    ///   - paths: The names.
    ///   - fields: Those that there are.
    ///   - input: What came in.
    ///   - isImplied: Whether the names are those of what came in: what is only answered is passed
    ///     over then.
    ///   - faults: Gets every name that is none, or of what is only answered.
    /// - Returns: The fields.
    static func named(
        _ paths: [String], of fields: [TypeField], in input: TypeInput, isImplied: Bool,
        _ faults: inout [FieldFault]
    ) -> Set<TypeField> {
        guard !paths.isEmpty else { return input.fieldsPresent }
        var named: Set<TypeField> = []
        for path in paths {
            if let field = fields.first(where: { $0.rawValue == path }) {
                named.insert(field)
            } else if answered.contains(path) {
                guard !isImplied else { continue }
                faults.append(
                    FieldFault(
                        field: "update_mask",
                        sentence: "“\(path)” is only answered, and cannot be changed."))
            } else {
                faults.append(
                    FieldFault(
                        field: "update_mask",
                        sentence: "“\(path.prefix(80))” is not a field that can be changed."))
            }
        }
        return named
    }
}

extension TypeInput {
    fileprivate var fieldsPresent: Set<TypeField> {
        var present: Set<TypeField> = []
        if !name.isEmpty { present.insert(.name) }
        if !licenses.isEmpty { present.insert(.licenses) }
        if !courses.isEmpty { present.insert(.courses) }
        return present
    }
}

extension TypeDetails {
    /// The details with the named fields as they came in.
    ///
    /// - Parameters:
    ///   - fields: The fields.
    ///   - input: What came in.
    ///   - faults: Gets every field that is wrong, which stays as it was.
    /// - Returns: The details.
    func changed(
        _ fields: Set<TypeField>, to input: TypeInput, _ faults: inout [FieldFault]
    ) -> TypeDetails {
        var next = self
        func path(_ field: TypeField) -> String { input.prefix + field.rawValue }
        if fields.contains(.name),
            let name = faults.accept({ () throws(FieldFault) in
                try TypeName(input.name, field: path(.name))
            })
        {
            next.name = name
        }
        if fields.contains(.licenses),
            let licenses = faults.accept({ () throws(FieldFault) in
                try LicenseTypeID.list(input.licenses, field: path(.licenses))
            })
        {
            next.licenses = licenses
        }
        if fields.contains(.courses),
            let courses = faults.accept({ () throws(FieldFault) in
                try CourseID.list(input.courses, field: path(.courses))
            })
        {
            next.courses = courses
        }
        return next
    }
}

extension [FieldFault] {
    fileprivate mutating func accept<Value>(_ body: () throws(FieldFault) -> Value) -> Value? {
        do {
            return try body()
        } catch {
            append(error)
            return nil
        }
    }
}

extension Identifier {
    /// The identifiers in a field, each once, in order.
    fileprivate static func list(
        _ texts: [String], field: String
    ) throws(FieldFault) -> [Identifier] {
        guard texts.count <= TypeDetails.listMax else {
            throw FieldFault(field: field, sentence: "At most \(TypeDetails.listMax) identifiers.")
        }
        var found: Set<Identifier> = []
        for text in texts {
            guard let identifier = Identifier(text: text) else {
                throw FieldFault(field: field, sentence: "This is not a list of identifiers.")
            }
            found.insert(identifier)
        }
        return found.sorted()
    }
}
