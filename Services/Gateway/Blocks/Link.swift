/// Paths of the gateway's own pages.
enum Link {
    /// A path with a query; parameters without a value are left out.
    static func to(_ path: String, _ parameters: [(name: String, value: String)] = []) -> String {
        let pairs = parameters.filter { !$0.value.isEmpty }.map { parameter in
            "\(parameter.name)=\(PercentEncoding.encode(parameter.value))"
        }
        return pairs.isEmpty ? path : path + "?" + pairs.joined(separator: "&")
    }

    /// The longest path that is led to.
    static let bytesMax = 1_024

    /// The path in a text, if it is one of a page of the gateway's own; else nil.
    ///
    /// `//other.test` and `/\other.test` are other sites to a browser, which also passes over
    /// tabs and line breaks: only plain visible characters are taken.
    static func own(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        guard bytes.count <= bytesMax, bytes.first == UInt8(ascii: "/"),
            bytes.count == 1 || bytes[1] != UInt8(ascii: "/"),
            bytes.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") })
        else { return nil }
        return text
    }
}

extension PercentEncoding {
    /// A text as a part of a query or path: all but letters, digits and `-._~` is escaped.
    static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let isPlain =
                byte < 0x80 && Character(Unicode.Scalar(byte)).isLetter
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || "-._~".utf8.contains(byte)
            if isPlain {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }
}
