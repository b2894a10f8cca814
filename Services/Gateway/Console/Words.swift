import Access
import Encodings
import Messages

// What values of the services are called on pages.

extension EffectiveState {
    /// The states by which a list can be narrowed.
    static let offered: [EffectiveState] = [.active, .inactive, .expired, .trialEnded, .archived]

    /// What it is called.
    var words: String {
        switch self {
        case .active: "Active"
        case .inactive: "Inactive"
        case .provisioning: "Being prepared"
        case .expired: "Expired"
        case .trialEnded: "Trial ended"
        case .archived: "Archived"
        case .unspecified, .unrecognized: "Unknown"
        }
    }

    /// The state with its mark.
    var badge: Markup {
        #"<span class="state \#(self == .active ? "good" : "off")">\#(words)</span>"#
    }
}

extension OrganizationCategory {
    /// The categories that are offered.
    static let options = [
        option(.academicK12, "Academic: K-12"),
        option(.academicPostSecondary, "Academic: post-secondary"),
        option(.businessCompany, "Business: company"),
        option(.businessTrainingCenter, "Business: training center"),
    ]

    private static func option(_ category: Self, _ label: String) -> Field.Option {
        Field.Option(value: "\(category.rawValue)", label: label)
    }

    /// What stands for it in a form.
    var value: String { self == .unspecified ? "" : "\(rawValue)" }

    /// The category that stands in a form.
    init(formValue: String) {
        self.init(rawValue: Int32(formValue) ?? 0)
    }
}

extension OrganizationKind {
    /// The kinds that are offered.
    static let options = [
        option(.school, "School"), option(.university, "University"),
        option(.lanCenter, "LAN center"), option(.company, "Company"),
        option(.trainingCenter, "Training center"), option(.other, "Other"),
    ]

    private static func option(_ kind: Self, _ label: String) -> Field.Option {
        Field.Option(value: "\(kind.rawValue)", label: label)
    }

    /// What stands for it in a form.
    var value: String { self == .unspecified ? "" : "\(rawValue)" }

    /// The kind that stands in a form.
    init(formValue: String) {
        self.init(rawValue: Int32(formValue) ?? 0)
    }
}

extension Messages.Role {
    /// The roles of memberships.
    static let offered: [Messages.Role] = [
        .member, .student, .teacher, .manager, .userAdmin, .billingAdmin, .orgAdmin, .owner,
    ]

    /// What it is called.
    var words: String {
        switch self {
        case .platformOwner: "Platform owner"
        case .globalAdmin: "Global administrator"
        case .platformAdmin: "Platform administrator"
        case .partner: "Partner"
        case .reseller: "Reseller"
        case .owner: "Owner"
        case .orgAdmin: "Administrator"
        case .manager: "Manager"
        case .billingAdmin: "Billing administrator"
        case .userAdmin: "User administrator"
        case .teacher: "Teacher"
        case .student: "Student"
        case .member: "Member"
        case .unspecified, .unrecognized: "Unknown"
        }
    }
}

extension Timestamp {
    /// The day in UTC.
    var day: String {
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        return CalendarDay(daysSince1970: Int(days)).text
    }

    /// The day and the time of day in UTC, to the minute.
    var minute: String {
        let ofDay = ((seconds % 86_400) + 86_400) % 86_400
        let hour = Digits.text(ofDay / 3_600, atLeast: 2)
        let minute = Digits.text(ofDay % 3_600 / 60, atLeast: 2)
        return "\(day), \(hour):\(minute) UTC"
    }

    /// The first instant of a day in UTC.
    init(startOf day: CalendarDay) {
        self.init(seconds: Int64(day.daysSince1970) * 86_400)
    }
}

/// A number with its noun.
enum Count {
    static func words(_ number: Int64, _ one: String, _ many: String) -> String {
        "\(grouped(number)) \(number == 1 ? one : many)"
    }

    /// A number with its thousands apart.
    static func grouped(_ number: Int64) -> String {
        let digits = String(number.magnitude)
        var parts: [String] = []
        var rest = Substring(digits)
        while rest.count > 3 {
            parts.insert(String(rest.suffix(3)), at: 0)
            rest = rest.dropLast(3)
        }
        parts.insert(String(rest), at: 0)
        return (number < 0 ? "-" : "") + parts.joined(separator: ",")
    }
}
