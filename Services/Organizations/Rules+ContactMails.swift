import Access

/// The mail that tells what somebody wrote by the contact form.
struct ContactMailText: Sendable, Hashable {
    let draft: ContactDraft
    /// The title of the organization at whose form it was; nil at the platform's.
    let organization: String?

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
            An answer to this mail goes to the address above. Nobody has verified that it belongs \
            to whoever wrote.
            """
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
