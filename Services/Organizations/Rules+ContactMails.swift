import Access
import Mail

/// The mail that tells what somebody wrote by the contact form.
struct ContactMailText: Sendable, Hashable {
    let draft: ContactDraft
    /// The title of the organization at whose form it was; nil at the platform's.
    let organization: String?

    /// Where answers go; nil when mails cannot be sent to whoever wrote.
    var replyTo: MailAddress? { MailAddress(draft.sender) }

    var subject: String { "\(draft.kind.title): \(draft.subject)" }

    var text: String {
        let place = organization.map { "\nOrganization: \($0)" } ?? ""
        return """
            Somebody wrote by the contact form.

            About: \(draft.kind.title)
            From: \(draft.sender)\(place)
            Subject: \(draft.subject)

            \(draft.text)

            --\u{20}
            \(answers) Nobody has verified that it belongs to whoever wrote.
            """
    }

    private var answers: String {
        replyTo == nil
            ? "An answer to this mail does not go to the address above; please write to that one."
            : "An answer to this mail goes to the address above."
    }
}

extension QueryKind {
    /// What people call it.
    var title: String {
        switch self {
        case .account: "Account"
        case .courseContent: "Course content"
        case .booking: "Booking"
        case .supportTeam: "Support team"
        case .product: "Product"
        case .suggestions: "Suggestions"
        case .miscellaneous: "Miscellaneous"
        }
    }
}
