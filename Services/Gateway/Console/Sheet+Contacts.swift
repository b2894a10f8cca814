import Access
import Messages
import RPC

// Who receives what people write to an organization.

extension Sheet {
    private static func name(_ kind: ContactKind) -> String { "kind-\(kind.rawValue)" }

    private static let names = ContactForm.kinds.map { name($0.kind) }

    /// The form in which the receivers of an organization stand as they are.
    private static func filled(with kept: ContactReceivers) -> Form {
        var form = Form([Form.etagField: kept.etag])
        for kind in ContactForm.kinds {
            let own = kept.own.first { $0.kind == kind.kind }?.addresses ?? []
            form[name(kind.kind)] = own.joined(separator: "\n")
        }
        return form
    }

    /// The tab.
    func contacts(_ form: Form?, _ problem: Problem?) async throws(Problem) -> Markup {
        let kept = try await visitor.ask(.organizations) {
            try await ContactsClient($0).getContactReceivers(
                GetContactReceiversRequest(organizationID: id), options: $1)
        }
        let typed = form?[Self.actionField] == "contacts" ? form : nil
        let isStale = typed != nil && problem?.httpStatus == 412
        let stored = Self.filled(with: kept)
        let shown =
            isStale
            ? (typed ?? stored).merged(with: stored, Self.names) : typed ?? stored
        let fields = ContactForm.kinds.map { kind in
            Field(
                name: Self.name(kind.kind), label: kind.label, control: .area(rows: 2),
                hint: hint(kept.effective.first { $0.kind == kind.kind }))
        }
        let placed = problem.map { Self.placed($0, shown) }
        let notice: Markup =
            isStale
            ? Notice.changedMeanwhile(
                shown.differences(from: stored, fields, nothing: "nobody of its own"))
            : placed.map { Notice.refused($0, fields: fields) } ?? .empty
        let hidden =
            [(name: Form.etagField, value: shown[Form.etagField])]
            + shown.originals(of: Self.names)
        // What was typed is shown, whatever has become of the right to it.
        guard rights.may(.editAppearance) || typed != nil else {
            return """
                \(notice)
                <p class="lead">What people write by the contact form goes to these addresses.</p>
                \(receivers(kept))
                """
        }
        return """
            \(notice)
            <p class="lead">What people write by the contact form goes to these addresses, each on \
            a line of its own. A kind without any of its own has those of the nearest organization \
            above.</p>
            \(self.form(
                shown, "contacts", button: "Save", hidden: hidden,
                #"<div class="fields">\#(fields.map { $0.markup(shown, placed) })</div>"#))
            """
    }

    /// The receivers of every kind, to be read.
    private func receivers(_ kept: ContactReceivers) -> Markup {
        let facts = ContactForm.kinds.map { kind in
            let own = kept.own.first { $0.kind == kind.kind }?.addresses ?? []
            let inherited = hint(kept.effective.first { $0.kind == kind.kind })
            return (
                label: kind.label, value: own.isEmpty ? inherited : own.joined(separator: "\n")
            )
        }
        return FactList(facts: facts).markup
    }

    /// Where receivers come from that are not the organization's own.
    private func hint(_ receivers: EffectiveReceivers?) -> String {
        guard let receivers, receivers.sourceOrganizationID != id else {
            return "Set here."
        }
        let addresses =
            receivers.addresses.isEmpty ? "nobody" : receivers.addresses.joined(separator: ", ")
        guard !receivers.sourceOrganizationID.isEmpty else {
            return "From the platform: \(addresses)"
        }
        let title =
            organization.path.first { $0.id == receivers.sourceOrganizationID }?.title
            ?? "an organization above"
        return "Inherited from \(title): \(addresses)"
    }

    /// The kinds for which something was typed, in the order in which they are sent.
    private static func receivers(_ form: Form) -> [KindReceivers] {
        ContactForm.kinds.compactMap { kind in
            let addresses = form[name(kind.kind)]
                .split { $0.isNewline || $0 == "," || $0 == ";" }
                .map { String($0).trimmed }.filter { !$0.isEmpty }
            return addresses.isEmpty ? nil : KindReceivers(kind: kind.kind, addresses: addresses)
        }
    }

    /// A refusal with the fields of the page as its places: the service names the receivers by
    /// their number.
    private static func placed(_ problem: Problem, _ form: Form) -> Problem {
        var problem = problem
        let sent = receivers(form)
        for index in problem.violations.indices {
            let parts = problem.violations[index].at.split { "[]".contains($0) }
            guard parts.count >= 2, parts[0] == "receivers", let number = Int(parts[1]),
                sent.indices.contains(number)
            else { continue }
            problem.violations[index].at = name(sent[number].kind)
        }
        return problem
    }

    /// Saves the receivers of all kinds.
    func saveContacts(_ form: Form) async throws(Problem) -> Outcome {
        guard form[Self.actionField] == "contacts" else { throw .noSuchAction }
        let request = SetContactReceiversRequest(
            organizationID: id, receivers: Self.receivers(form))
        _ = try await visitor.ask(.organizations, key: form.key, etag: form[Form.etagField]) {
            try await ContactsClient($0).setContactReceivers(request, options: $1)
        }
        return Outcome(done: .saved)
    }
}
