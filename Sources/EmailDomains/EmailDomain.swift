internal import Foundation

/// The domain of an email address in the one form in which domains are kept and compared.
///
/// A module of its own: only those services that need it carry Foundation and its tables.
public enum EmailDomain {
    /// The most bytes of a domain in its kept form.
    public static let bytesMax = 253
    /// Longer input is refused before it is looked at.
    public static let inputBytesMax = 1_024

    /// A domain in lower case, its labels beyond ASCII as A-labels of IDNA (UTS 46).
    ///
    /// - Parameter input: The domain as somebody typed it.
    /// - Returns: The domain in its kept form, which need not be a legal one; nil when labels
    ///   beyond ASCII have none.
    public static func ascii(_ input: some StringProtocol) -> String? {
        guard input.utf8.count <= inputBytesMax else { return nil }
        if input.utf8.allSatisfy({ $0 < 0x80 }) { return input.lowercased() }
        // Nothing that would end the host of a URL may reach the conversion.
        let isHost = input.unicodeScalars.allSatisfy { scalar in
            !scalar.isASCII || scalar == "." || scalar == "-"
                || scalar.properties.isAlphabetic || scalar.properties.numericType == .decimal
        }
        guard isHost else { return nil }
        return URLComponents(string: "https://\(input)/")?.encodedHost?.lowercased()
    }
}
