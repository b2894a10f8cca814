import ServiceKit

/// The mail with the link that shows that an address is somebody's.
///
/// It says nothing that whoever signed up has typed: nobody has others written to by it.
struct VerificationMail: Sendable, Hashable {
    let link: String

    static let subject = "Please confirm your email address"

    var text: String {
        """
        Hello,

        somebody, hopefully you, has signed up with this email address. To confirm that the \
        address is yours, follow this link, and give the password that you chose:

        \(link)

        It can be used for 24 hours.

        If it was not you, do not follow the link: it opens nothing without the password that was \
        chosen. There is no account, and nothing else happens.

        This mail was written by a program.
        """
    }
}

/// The mail to somebody who has an account and signs up once more, or whose address somebody else
/// has used.
struct AccountMail: Sendable, Hashable {
    /// Where to sign in.
    let address: String

    static let subject = "You have an account already"

    var text: String {
        """
        Hello,

        somebody, hopefully you, has signed up with this email address. There is an account with \
        it already; you can sign in with its password:

        \(address)

        Nothing was changed. If it was not you, you need not do anything.

        This mail was written by a program.
        """
    }
}

extension PublicAddress {
    /// The page that verifies an address.
    func verification(of token: String) -> String { "\(text)/signup/verify?token=\(token)" }
}
