import Access
import Messages
import RPC

// How many people, and how many seats, an organization may have.

extension Sheet {
    private static let caps = [
        Field(name: "members", label: "Members", control: .digits),
        Field(name: "students", label: "Students", control: .digits),
        Field(name: "teachers", label: "Teachers", control: .digits),
    ]
    private static let seats = Field(
        name: "seatCount", label: "Seats", control: .digits)

    /// The tab.
    func limits(_ form: Form?, _ problem: Problem?) async throws(Problem) -> Markup {
        // Whoever may change seats may not see every limit: each part is asked for by itself.
        let usage = try await visitor.attempt(.membership) {
            try await MembershipClient($0).getUsage(
                GetUsageRequest(organizationID: id), options: $1)
        }
        let caps = try await visitor.attempt(.membership) {
            try await MembershipClient($0).getCaps(
                GetCapsRequest(organizationID: id), options: $1)
        }
        let seats = try await visitor.attempt(.membership) {
            try await MembershipClient($0).getSeats(
                GetSeatsRequest(organizationID: id), options: $1)
        }
        if case (.failure(let refusal), .failure, .failure) = (usage, caps, seats) {
            throw refusal
        }
        let action = form?[Self.actionField] ?? ""
        // What was typed into a part is kept by the page where the part cannot be shown.
        if action == "caps", case .failure(let refusal) = caps { throw refusal }
        if action == "seats", case .failure(let refusal) = seats { throw refusal }
        let kept: (form: Form, fields: [Field])? =
            switch (action, caps, seats) {
            case ("caps", .success(let caps), _):
                (
                    form: Self.filled(with: caps),
                    fields: Self.caps.filter { form?.carries($0.name) == true }
                )
            case ("seats", _, .success(let seats)):
                (form: Self.filled(with: seats), fields: [Self.seats])
            default: nil
            }
        var typed = form
        var notice: Markup =
            problem.map { Notice.refused($0, fields: Self.caps + [Self.seats]) } ?? .empty
        if problem?.httpStatus == 412, let form, let kept {
            let merged = form.merged(with: kept.form, kept.fields.map(\.name))
            notice = Notice.changedMeanwhile(
                merged.differences(from: kept.form, kept.fields, nothing: "no limit"))
            typed = merged
        }
        let ofCaps = action == "caps" ? typed : nil
        let ofSeats = action == "seats" ? typed : nil
        return """
            \(notice)
            \(shown(usage) { used($0) })
            \(shown(caps) { capForm($0, ofCaps, ofCaps == nil ? nil : problem) })
            \(shown(seats) { seatForm($0, ofSeats, ofSeats == nil ? nil : problem) })
            """
    }

    /// A part of the tab, or why it is not shown: nothing of what was not offered.
    private func shown<Value>(
        _ result: Result<Value, Problem>, _ part: (Value) -> Markup
    ) -> Markup {
        switch result {
        case .success(let value): part(value)
        case .failure(let problem):
            rights.mayReadLimits ? Notice.hint("\(problem.message)") : .empty
        }
    }

    private func used(_ usage: Usage) -> Markup {
        let rows = usage.caps.map { cap -> [Markup] in
            let place =
                cap.organizationID == id
                ? "Here"
                : organization.path.first { $0.id == cap.organizationID }?.title ?? "Above"
            let most = cap.cap.map { Count.grouped($0) } ?? "no limit"
            let isOver = cap.cap.map { cap.used > $0 } ?? false
            let mark: Markup = isOver ? #"<p class="fault">over its limit</p>"# : ""
            return [
                "\(Self.word(cap.kind))", "\(place)", "\(Count.grouped(cap.used))",
                "\(most)\(mark)",
            ]
        }
        let table: Markup =
            rows.isEmpty
            ? ""
            : Table(
                caption: "Limits in use",
                columns: [
                    .init(title: "Of"), .init(title: "Limit of"),
                    .init(title: "Used", isNumber: true), .init(title: "Limit", isNumber: true),
                ], rows: rows
            ).markup
        return """
            <p class="lead">\(Count.words(usage.people, "person", "people")) here and below. A \
            limit holds for everything below it, too; a seat is of this organization alone.</p>
            \(table)
            """
    }

    /// The limits, those as fields that are offered to be changed or were typed.
    private func capForm(_ caps: Caps, _ form: Form?, _ problem: Problem?) -> Markup {
        let shown = form ?? Self.filled(with: caps)
        let fields = Self.caps.filter { field in
            rights.may(field.name == "members" ? .setMembersLimit : .setRoleQuotasAndModules)
                || form?.carries(field.name) == true
        }
        let kept = Self.filled(with: caps)
        let others = Self.caps.filter { cap in !fields.contains { $0.name == cap.name } }
        let facts = FactList(
            facts: others.map { ($0.label, kept[$0.name].isEmpty ? "No limit" : kept[$0.name]) })
        let hidden =
            [(name: Form.etagField, value: shown[Form.etagField])]
            + shown.originals(of: fields.map(\.name))
        let changes: Markup =
            fields.isEmpty
            ? .empty
            : """
            <p>An empty limit is none; 0 lets nobody in.</p>
            \(self.form(
                shown, "caps", button: "Save", hidden: hidden,
                #"<div class="fields">\#(fields.map { $0.markup(shown, problem) })</div>"#))
            """
        return """
            <section class="further"><h2>Limits</h2>
            \(facts.markup)
            \(changes)
            </section>
            """
    }

    private func seatForm(_ seats: Seats, _ form: Form?, _ problem: Problem?) -> Markup {
        let shown = form ?? Self.filled(with: seats)
        let hidden =
            [(name: Form.etagField, value: shown[Form.etagField])]
            + shown.originals(of: [Self.seats.name])
        let most = seats.seatCeiling.map { " At most \(Count.grouped($0)) were sold." } ?? ""
        let count = seats.seatCount.map { Count.grouped($0) } ?? "No limit"
        let part =
            rights.may(.setSeatCount) || form != nil
            ? self.form(
                shown, "seats", button: "Save", hidden: hidden, Self.seats.markup(shown, problem))
            : FactList(facts: [(Self.seats.label, count)]).markup
        return """
            <section class="further"><h2>Seats</h2>
            <p>\(Count.words(seats.used, "seat is", "seats are")) taken.\(most)</p>
            \(part)
            </section>
            """
    }

    private static func filled(with caps: Caps) -> Form {
        Form([
            "members": text(caps.members), "students": text(caps.students),
            "teachers": text(caps.teachers), Form.etagField: caps.etag,
        ])
    }

    private static func filled(with seats: Seats) -> Form {
        Form([Self.seats.name: text(seats.seatCount), Form.etagField: seats.etag])
    }

    private static func word(_ kind: String) -> String {
        caps.first { $0.name == kind }?.label ?? kind
    }

    private static func text(_ number: Int64?) -> String { number.map { "\($0)" } ?? "" }

    /// The number in a field; nil when it is empty.
    private static func number(_ field: String, _ form: Form) throws(Problem) -> Int64? {
        let text = form[field].trimmed
        guard !text.isEmpty else { return nil }
        guard let number = Int64(text) else { throw .invalid(field, "A number is expected.") }
        return number
    }

    /// Does what a form of the tab asks for.
    ///
    /// Who may set one limit and not another saves that one: what was not touched is not sent.
    func saveLimits(_ form: Form) async throws(Problem) -> Outcome {
        switch form[Self.actionField] {
        case "caps":
            let touched = Self.caps.map(\.name).filter { form.isTouched($0) }
            guard !touched.isEmpty else { return Outcome(done: .saved) }
            var request = UpdateCapsRequest(organizationID: id)
            for name in touched {
                let number = try Self.number(name, form)
                switch name {
                case "members": request.members = number
                case "students": request.students = number
                default: request.teachers = number
                }
                if number == nil { request.remove.append(name) }
            }
            let asked = request
            let saved = try await visitor.ask(
                .membership, key: form.key, etag: form[Form.etagField]
            ) {
                try await MembershipClient($0).updateCaps(asked, options: $1)
            }
            return Outcome(done: .saved, remarks: Remark.parameters(of: saved))
        case "seats":
            guard form.isTouched(Self.seats.name) else { return Outcome(done: .saved) }
            let request = UpdateSeatsRequest(
                organizationID: id, seatCount: try Self.number(Self.seats.name, form))
            _ = try await visitor.ask(.membership, key: form.key, etag: form[Form.etagField]) {
                try await MembershipClient($0).updateSeats(request, options: $1)
            }
        default: throw .noSuchAction
        }
        return Outcome(done: .saved)
    }
}
