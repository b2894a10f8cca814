import Access
import Mail
import ServiceKit

extension Identifier {
    /// The identifier in a field that may be empty.
    static func optionalField(_ text: String, field: String) throws(FieldFault) -> Identifier? {
        guard !text.isEmpty else { return nil }
        guard let identifier = Identifier(text: text) else {
            throw FieldFault(field: field, sentence: "This is not an identifier.")
        }
        return identifier
    }
}

/// The address of somebody who writes, or to whom mails are sent.
enum ContactAddress {
    static let bytesMax = 254

    /// The address of whoever writes, in a field; its domain in lower case.
    ///
    /// Letters beyond ASCII are people's right, though no mail may reach such an address.
    static func sender(_ input: String, field: String) throws(FieldFault) -> String {
        let fault = FieldFault(field: field, sentence: "Please type an email address.")
        guard input.utf8.count <= bytesMax, let at = input.utf8.lastIndex(of: UInt8(ascii: "@"))
        else { throw fault }
        let local = input[..<at]
        guard (1...64).contains(local.utf8.count),
            local.unicodeScalars.allSatisfy({ scalar in
                Text.isAcceptable(scalar, in: .line) && !scalar.properties.isWhitespace
                    && !"\"(),:;<>@[\\]".unicodeScalars.contains(scalar)
            }), let domain = Domain(input[input.utf8.index(after: at)...])
        else { throw fault }
        return "\(local)@\(domain.text)"
    }

    /// The address in a field to which mails are sent; its domain in lower case.
    static func receiver(_ input: String, field: String) throws(FieldFault) -> String {
        let address = try sender(input, field: field)
        guard MailAddress(address) != nil else {
            throw FieldFault(field: field, sentence: "Mails cannot be sent to this address.")
        }
        return address
    }

    /// The address in a field to which mails are sent, if it is not empty.
    static func optionalReceiver(_ input: String, field: String) throws(FieldFault) -> String {
        input.isEmpty ? "" : try receiver(input, field: field)
    }
}

/// Services that are switched on at an organization.
enum ServiceNames {
    static let countMax = 20
    static let charactersMax = 32

    /// The names, each once, in order.
    static func check(_ input: [String], field: String) throws(FieldFault) -> [String] {
        guard input.count <= countMax else {
            throw FieldFault(field: field, sentence: "At most \(countMax) services.")
        }
        for name in input {
            let isName =
                (1...charactersMax).contains(name.utf8.count)
                && name.utf8.allSatisfy { byte in
                    (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
                        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                }
            guard isName else {
                throw FieldFault(
                    field: field,
                    sentence: """
                        The name of a service has 1 to \(charactersMax) letters a to z, digits, \
                        “-” or “_”.
                        """)
            }
        }
        return Set(input).sorted()
    }
}

/// The identifier of an organization in an outside system.
enum ExternalIdentifier {
    static let charactersMax = 200

    /// The identifier in a field: visible characters of one line.
    static func check(_ input: String, field: String) throws(FieldFault) -> String {
        let isGood =
            (1...charactersMax).contains(input.unicodeScalars.count)
            && input.utf8.count <= 4 * charactersMax
            && input.unicodeScalars.allSatisfy { scalar in
                Text.isAcceptable(scalar, in: .line) && !scalar.properties.isWhitespace
            }
        guard isGood else {
            throw FieldFault(
                field: field,
                sentence: """
                    An outside identifier has 1 to \(charactersMax) visible characters without \
                    spaces.
                    """)
        }
        return input
    }

    /// The identifier in a field that may be empty.
    static func optional(_ input: String, field: String) throws(FieldFault) -> String? {
        input.isEmpty ? nil : try check(input, field: field)
    }
}
