import Access
import Messages
import RPC

// What an organization pays for period by period, for all of its people.

extension Sheet {
    private static let plan = Field(
        name: "plan", label: "Plan", isRequired: true, hint: "What people call it.")

    private static func entries(
        _ courses: Offer<Course>, _ modules: Offer<Module>
    ) -> Entries {
        Entries(
            fields: [plan],
            boxes: [
                Boxes(
                    name: "courses", label: "Courses",
                    hint: "Every active member may open what is ticked.",
                    groups: courses.groups(by: modules), places: ["courseIds", "course_ids"])
            ])
    }

    /// The tab.
    func subscription(_ form: Form?, _ problem: Problem?) async throws(Problem) -> Markup {
        let reply = try await visitor.attempt(.partners) {
            try await SubscriptionsClient($0).getSubscription(
                GetSubscriptionRequest(organizationID: id), options: $1)
        }
        let kept: Subscription?
        switch reply {
        case .success(let found): kept = found
        case .failure(let refusal):
            guard refusal.httpStatus == 404 else { throw refusal }
            kept = nil
        }
        let courses = try await visitor.courses()
        let modules = try await visitor.modules()
        let entries = Self.entries(courses, modules)
        let placed = problem.map { entries.placed($0, within: "subscription.") }
        let action = form?[Self.actionField] ?? ""
        let loose: Markup =
            action == "begin" || action == "change"
            ? .empty : problem.map { Notice.refused($0) } ?? .empty
        let parts =
            kept.map { kept in
                let names = Dictionary(
                    courses.elements.map { ($0.id, $0.name) },
                    uniquingKeysWith: { first, _ in first })
                return subscriptionFacts(kept, names)
            } ?? Self.nothing("There is no subscription yet.")
        let goesOn = kept.map { $0.state != .cancelled && $0.state != .ended } ?? false
        let typed = action == (goesOn ? "change" : "begin") ? form : nil
        // What was sent for another state of it is kept all the same.
        let lost: Markup =
            typed == nil && (action == "begin" || action == "change")
            ? "\(placed.map { Notice.refused($0) } ?? .empty)\(form.map { keep($0) } ?? .empty)"
            : .empty
        let stored = goesOn ? Self.filled(with: kept ?? Subscription()) : Form()
        let (shown, notice) = entries.shown(typed, kept: stored, typed == nil ? nil : placed)
        let content: Markup = """
            \(Self.plan.markup(shown, placed))
            \(courses.notice)
            \(entries.boxes.map { $0.markup(shown, placed) })
            """
        guard rights.maySubscription() || typed != nil else {
            return "\(loose)\(lost)\(parts)"
        }
        return """
            \(loose)\(lost)\(notice)
            \(parts)
            <section class="further"><h2>\(goesOn ? "Change it" : "Begin a subscription")</h2>
            <p>\(goesOn ? Self.changeSentence : Self.beginSentence)</p>
            \(self.form(
                shown, goesOn ? "change" : "begin", button: goesOn ? "Save" : "Begin",
                hidden: goesOn ? entries.hidden(shown) : [], content))
            \(goesOn ? cancellation(kept ?? Subscription()) : .empty)</section>
            """
    }

    private static let changeSentence = "What is added can be opened at once."
    private static let beginSentence = """
        It gives nothing before its first payment. An organization has one at a time.
        """

    private static func filled(with kept: Subscription) -> Form {
        var form = Form(["plan": kept.plan, Form.etagField: kept.etag])
        form.tick("courses", kept.courseIDs)
        return form
    }

    /// What there is of it.
    private func subscriptionFacts(_ kept: Subscription, _ names: [String: String]) -> Markup {
        let courses = kept.courseIDs.map { names[$0] ?? $0 }.joined(separator: "\n")
        let last = kept.givesUntil.map { CalendarDay(daysSince1970: Int($0)).text } ?? ""
        let facts: [(label: String, value: String)] = [
            ("Plan", kept.plan), ("Paid for until", kept.periodEnd), ("Gives until", last),
            ("Cancelled", kept.cancelledAt?.day ?? ""),
            ("Courses", courses.isEmpty ? "None" : courses),
        ]
        return """
            <section><h2>\(kept.plan)</h2><p>\(kept.state.badge)</p>
            <p>\(kept.state.sentence)</p>
            \(FactList(facts: facts).markup)</section>
            """
    }

    private func cancellation(_ kept: Subscription) -> Markup {
        """
        <details class="after"><summary>Cancel the subscription…</summary>
        <p>It gives what was paid for until the end of the period, and then nothing more.</p>
        \(button(
            "cancel", "Cancel the subscription", [(Form.etagField, kept.etag)], look: "danger"))\
        </details>
        """
    }

    // MARK: Changes

    /// Does what a form of the tab asks for.
    func saveSubscription(_ form: Form) async throws(Problem) -> Outcome {
        let plan = form["plan"].trimmed
        let courses = form.all("courses")
        switch form[Self.actionField] {
        case "begin":
            let request = CreateSubscriptionRequest(
                organizationID: id, plan: plan, courseIDs: courses)
            _ = try await visitor.ask(.partners, key: form.key) {
                try await SubscriptionsClient($0).createSubscription(request, options: $1)
            }
            return Outcome(done: .begun)
        case "change":
            let touched = Self.entries(Offer(), Offer()).touched(form)
            guard !touched.isEmpty else { return Outcome(done: .saved) }
            let paths = [("plan", "plan"), ("courses", "course_ids")]
                .filter { touched.contains($0.0) }.map(\.1)
            let request = UpdateSubscriptionRequest(
                subscription: Subscription(organizationID: id, plan: plan, courseIDs: courses),
                updateMask: FieldMask(paths: paths))
            _ = try await visitor.ask(
                .partners, key: form.key, etag: form[Form.etagField], in: "subscription"
            ) {
                try await SubscriptionsClient($0).updateSubscription(request, options: $1)
            }
            return Outcome(done: .saved)
        case "cancel":
            _ = try await visitor.ask(.partners, key: form.key, etag: form[Form.etagField]) {
                try await SubscriptionsClient($0).cancelSubscription(
                    CancelSubscriptionRequest(organizationID: id), options: $1)
            }
            return Outcome(done: .cancelled)
        default: throw .noSuchAction
        }
    }
}

extension SubscriptionState {
    /// What it is called.
    private var words: String {
        switch self {
        case .pendingPayment: "Waits for its first payment"
        case .active: "Active"
        case .pastDue: "Payment is overdue"
        case .cancelled: "Cancelled"
        case .ended: "Ended"
        case .unspecified, .unrecognized: "Unknown"
        }
    }

    /// What it means for the people of the organization.
    fileprivate var sentence: String {
        switch self {
        case .pendingPayment: "Nothing was paid for yet, and it gives nothing."
        case .active: "Every active member may open its courses."
        case .pastDue:
            "The period is over and the next one not paid for; it still gives, for 14 days."
        case .cancelled:
            "It gives what was paid for, if anything was, until the end of the period."
        case .ended: "It gives nothing any more."
        case .unspecified, .unrecognized: ""
        }
    }

    /// The state with its mark.
    fileprivate var badge: Markup {
        let look =
            switch self {
            case .active: "good"
            case .pastDue: "bad"
            default: "off"
            }
        return #"<span class="state \#(look)">\#(words)</span>"#
    }
}
