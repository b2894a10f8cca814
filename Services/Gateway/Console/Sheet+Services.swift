import Access
import Messages
import RPC

// The services that are switched on at an organization.

extension Sheet {
    /// A service that is always offered.
    private static let known = [Field.Option(value: "pls", label: "PLS")]
    private static let servicesField = "services"
    private static let more = Field(
        name: "more", label: "Another service",
        hint: "Its name: lower-case letters, digits, - and _.")

    /// What stands between the names of services in one field; no name has it.
    private static let separator = " "

    /// The services that were switched on when a form was shown.
    private static func originals(of form: Form) -> [String] {
        form[Form.original(servicesField)].split(separator: separator).map(String.init)
    }

    /// The services that are on once somebody else has changed them, too: a switch that was not
    /// touched is as they have it now.
    private static func merged(
        _ typed: [String], was original: [String], with now: [String]
    ) -> [String] {
        (now + typed.filter { !now.contains($0) }).filter { name in
            let isTouched = typed.contains(name) != original.contains(name)
            return isTouched ? typed.contains(name) : now.contains(name)
        }
    }

    /// The switches that are not as they are kept by now.
    private static func differences(
        _ typed: [String], _ now: [String]
    ) -> [Notice.Difference] {
        Set(typed).symmetricDifference(now).sorted().map { name in
            Notice.Difference(
                id: servicesField, label: known.first { $0.value == name }?.label ?? name,
                kept: now.contains(name) ? "on" : "off")
        }
    }

    /// The tab.
    func services(_ form: Form?, _ problem: Problem?) async -> Markup {
        let typed = form?[Self.actionField] == "services" ? form : nil
        // What was typed is shown, whatever has become of the right to it.
        guard rights.may(.editOrganization) || typed != nil else {
            return problem.map { Notice.refused($0) } ?? servicesOn
        }
        let isStale = typed != nil && problem?.httpStatus == 412
        // After a refusal the organization may be another one already.
        let now = isStale ? (await visitor.organization(id) ?? organization) : organization
        var shown = typed ?? Form([Form.etagField: now.etag])
        var original = typed.map { Self.originals(of: $0) } ?? now.services
        var switchedOn = typed?.all(Self.servicesField) ?? now.services
        if isStale {
            switchedOn = Self.merged(switchedOn, was: original, with: now.services)
            original = now.services
            shown[Form.etagField] = now.etag
        }
        let others = Set(now.services + switchedOn)
            .subtracting(Self.known.map(\.value)).sorted()
        let boxes = (Self.known + others.map { Field.Option(value: $0, label: $0) })
            .enumerated().map { index, option -> Markup in
                let mark: Markup = switchedOn.contains(option.value) ? " checked" : ""
                return """
                    <div class="field box"><input type="checkbox" id="service-\(index)" \
                    name="services" value="\(option.value)"\(mark)>\
                    <label for="service-\(index)">\(option.label)</label></div>
                    """
            }
        let hidden = [
            (name: Form.etagField, value: shown[Form.etagField]),
            (
                name: Form.original(Self.servicesField),
                value: original.joined(separator: Self.separator)
            ),
        ]
        let fault = problem?.violations.first { $0.at.hasPrefix(Self.servicesField) }
        let faultLine: Markup = fault.map { #"<p class="fault">\#($0.message)</p>"# } ?? ""
        let notice: Markup =
            isStale
            ? Notice.changedMeanwhile(Self.differences(switchedOn, now.services))
            : problem.map {
                Notice.refused(
                    $0, fields: [Field(name: Self.servicesField, label: "Services"), Self.more])
            } ?? .empty
        return """
            \(notice)
            \(self.form(
                shown, "services", button: "Save", hidden: hidden,
                """
                <fieldset id="services" class="boxes"><legend>Switched on</legend>\(faultLine)
                \(boxes)</fieldset>
                \(Self.more.markup(shown, problem))
                """))
            """
    }

    /// The services that are on, to be read.
    private var servicesOn: Markup {
        let names = organization.services.map { name in
            Self.known.first { $0.value == name }?.label ?? name
        }
        return names.isEmpty
            ? Self.nothing("No service is switched on.")
            : FactList(facts: [("Switched on", names.joined(separator: ", "))]).markup
    }

    /// Saves which services are switched on.
    func saveServices(_ form: Form) async throws(Problem) -> Outcome {
        guard form[Self.actionField] == "services" else { throw .noSuchAction }
        let more = form[Self.more.name].trimmed
        let names = form.all(Self.servicesField) + (more.isEmpty ? [] : [more])
        let request = UpdateOrganizationRequest(
            organization: Organization(id: id, services: names),
            updateMask: FieldMask(paths: ["services"]))
        _ = try await visitor.ask(
            .organizations, key: form.key, etag: form[Form.etagField], in: "organization"
        ) {
            try await OrganizationsClient($0).updateOrganization(request, options: $1)
        }
        return Outcome(done: .saved)
    }
}
