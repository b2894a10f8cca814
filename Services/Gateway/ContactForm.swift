import Messages

/// What stands in the contact form, as it was typed.
struct ContactForm: Sendable, Hashable {
    /// A field that somebody fills in.
    enum Field: String, Sendable, CaseIterable {
        case name, email, kind, subject, text

        /// What it is called.
        var label: String {
            switch self {
            case .name: "Your name"
            case .email: "Your email address"
            case .kind: "What is it about?"
            case .subject: "Subject"
            case .text: "Message"
            }
        }
    }

    /// The longest custom URL that is handed on; a longer one is none.
    private static let organizationBytesMax = 40

    /// What was typed, by field.
    private(set) var values: [Field: String]
    /// The custom URL at which the form is; empty for the platform's own.
    let organization: String

    /// The form in a query, or in a body that is encoded like one.
    init(_ query: Query) {
        func value(_ name: String) -> String {
            query.parameters.first { $0.name == name }?.values.first ?? ""
        }
        values = Dictionary(
            uniqueKeysWithValues: Field.allCases.map { ($0, value($0.rawValue)) })
        let organization = value("organization")
        let isPlain = organization.utf8.allSatisfy { byte in
            byte < 0x80 && Character(Unicode.Scalar(byte)).isLetter
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "-")
        }
        let isShort = organization.utf8.count <= Self.organizationBytesMax
        self.organization = isPlain && isShort ? organization : ""
    }

    /// What was typed into a field.
    subscript(field: Field) -> String { values[field] ?? "" }

    /// What somebody may write about.
    struct Kind: Sendable {
        let kind: ContactKind
        /// What it is called.
        let label: String

        /// What stands for it in a form.
        var value: String { "\(kind.rawValue)" }
    }

    /// The kinds that are offered, in their order.
    static let kinds = [
        Kind(kind: .account, label: "Login, registration, account"),
        Kind(kind: .courseContent, label: "Content of a course"),
        Kind(kind: .booking, label: "Booking and cancellations"),
        Kind(kind: .supportTeam, label: "Support team"), Kind(kind: .product, label: "Product"),
        Kind(kind: .suggestions, label: "Suggestions"),
        Kind(kind: .miscellaneous, label: "Something else"),
    ]

    /// The request that the form stands for.
    ///
    /// A name signs the message; there is no field for it.
    var request: SubmitContactRequest {
        let kind = Self.kinds.first { $0.value == self[.kind] }?.kind
        let name = self[.name].split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let isEmpty = self[.text].allSatisfy(\.isWhitespace)
        return SubmitContactRequest(
            kind: kind ?? .unspecified, email: self[.email].trimmed, subject: self[.subject],
            text: name.isEmpty || isEmpty ? self[.text] : "\(self[.text])\n\n\(name)",
            customURL: organization)
    }
}

extension String {
    /// The text without the spaces around it.
    var trimmed: String {
        let start = drop(while: \.isWhitespace)
        return String(start.reversed().drop(while: \.isWhitespace).reversed())
    }
}
