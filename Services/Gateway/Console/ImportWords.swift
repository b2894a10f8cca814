import Messages

// What imports are called on pages.

extension ImportState {
    /// The states by which a list can be narrowed.
    static let offered: [ImportState] = [
        .planning, .planned, .applying, .applied, .failed, .cancelled,
    ]

    /// What it is called.
    var words: String {
        switch self {
        case .planning: "Being read"
        case .planned: "Waits to be applied"
        case .applying: "Being applied"
        case .applied: "Applied"
        case .failed: "Failed"
        case .cancelled: "Cancelled"
        case .unspecified, .unrecognized: "Unknown"
        }
    }

    /// The state with its mark.
    var badge: Markup {
        let look =
            switch self {
            case .applied: "good"
            case .failed: "bad"
            default: "off"
            }
        return #"<span class="state \#(look)">\#(words)</span>"#
    }

    /// Whether something is done to it at the moment.
    var isUnderWay: Bool { self == .planning || self == .applying }

    /// Whether its rows are there to be looked at.
    var hasRows: Bool { self == .planned || self == .applying || self == .applied }
}

extension ImportOutcome {
    /// The outcomes, in the order in which they are told.
    static let told: [ImportOutcome] = [.created, .updated, .unchanged, .error]

    /// What it is called, before an import is applied and after.
    var words: String {
        switch self {
        case .created: "New"
        case .updated: "Changed"
        case .unchanged: "As it is"
        case .error: "Error"
        case .unspecified, .unrecognized: "Unknown"
        }
    }

    /// The outcome with its mark.
    var badge: Markup {
        let look =
            switch self {
            case .created, .updated: "good"
            case .error: "bad"
            default: "off"
            }
        return #"<span class="state \#(look)">\#(words)</span>"#
    }
}

extension Import {
    /// The rows with an outcome.
    func count(of outcome: ImportOutcome) -> Int64 {
        switch outcome {
        case .created: createdCount
        case .updated: updatedCount
        case .unchanged: unchangedCount
        case .error: errorCount
        case .unspecified, .unrecognized: rowCount
        }
    }
}

extension ImportDifference {
    /// What the field is called in the spreadsheet.
    var label: String {
        switch field {
        case "email_masks": "Email mask"
        case "discount_percentage": "Discount percentage"
        case "discount_expiration_date": "Discount expiration date"
        default: field
        }
    }

    /// What stood there, and what will.
    var markup: Markup {
        let before: Markup = oldValue.isEmpty ? "nothing" : "<del>\(oldValue)</del>"
        let after = newValue.isEmpty ? "nothing" : newValue
        return """
            <li>\(label): \(before) <span aria-hidden="true">→</span>\
            <span class="unseen">becomes</span> <ins>\(after)</ins></li>
            """
    }

    /// What will stand there, in an organization that is new.
    var newMarkup: Markup { "<li>\(label): <ins>\(newValue)</ins></li>" }
}
