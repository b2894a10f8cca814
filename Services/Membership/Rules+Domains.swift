/// What an email mask of Organizations may say to cover an address.
enum DomainPatterns {
    /// No mask has more labels, its `*` among them.
    static let labelsMax = 10

    /// The patterns that cover an address as it is kept: its domain, then `*.` before the domain
    /// and before each one above it that has two labels or more.
    static func covering(email: String) -> [String] {
        guard let at = email.utf8.lastIndex(of: UInt8(ascii: "@")) else { return [] }
        let domain = email[email.utf8.index(after: at)...]
        let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
        var patterns = labels.count <= labelsMax ? [String(domain)] : []
        for start in labels.indices.dropLast() where labels.count - start < labelsMax {
            patterns.append("*." + labels[start...].joined(separator: "."))
        }
        return patterns
    }

    /// The pattern of a domain, alone or with those below it; nil when no mask can have it.
    static func pattern(domain: String, withSubdomains: Bool) -> String? {
        let pattern = withSubdomains ? "*.\(domain)" : domain
        guard pattern.utf8.count <= TextRules.emailBytesMax, TextRules.isDomain(domain[...]),
            pattern.utf8.count(where: { $0 == UInt8(ascii: ".") }) < labelsMax
        else { return nil }
        return pattern
    }
}
