import Access
import Messages
import RPC

// The custom URLs of an organization.

extension Sheet {
    private static let slug = Field(
        name: "slug", label: "Custom URL", isRequired: true,
        hint: "3 to 40 lower-case letters, digits and single hyphens, such as springfield.")

    /// The tab.
    func urls(_ form: Form?, _ problem: Problem?) async throws(Problem) -> Markup {
        let reply = try await visitor.ask(.organizations) {
            try await CustomUrlsClient($0).listCustomUrls(
                ListCustomUrlsRequest(organizationID: id), options: $1)
        }
        // Where it is not known, the service says so once a custom URL is added.
        let appearance = try await visitor.attempt(.branding) {
            try await BrandingClient($0).getAppearance(
                GetAppearanceRequest(organizationID: id), options: $1)
        }
        let isAdding = form?[Self.actionField] == "add"
        let typed = isAdding ? form ?? Form() : Form()
        let notice: Markup =
            problem.map {
                Notice.refused(
                    $0, isAdding ? "The custom URL was not added yet" : "Nothing was changed",
                    fields: [Self.slug])
            } ?? ""
        let table = Table(
            caption: "Custom URLs",
            columns: [
                .init(title: "Address"), .init(title: "State", isWideOnly: true),
                .init(title: "Made / released", isWideOnly: true),
                .init(title: "Actions", isHeadHidden: true),
            ], rows: reply.customURLs.map(urlRow))
        let list =
            reply.customURLs.isEmpty
            ? Self.nothing("There are no custom URLs yet.") : table.markup
        // What was typed is kept, whatever has become of white label.
        let addition: Markup =
            if case .success(let appearance) = appearance, !appearance.whiteLabel, !isAdding {
                """
                <p>Custom URLs need white label, which is off for this organization. Staff of the \
                platform switch it on.</p>
                """
            } else {
                self.form(
                    typed, "add", button: "Add", Self.slug.markup(typed, isAdding ? problem : nil))
            }
        let further: Markup = """
            <section class="further"><h2>Add a custom URL</h2>
            \(addition)
            </section>
            """
        return """
            \(notice)
            <p class="lead">Addresses to hand to clients and partners, each of them unique. One \
            may be shut down while the others go on.</p>
            \(list)
            \(rights.may(.editAppearance) || isAdding ? further : .empty)
            """
    }

    private func urlRow(_ url: CustomUrl) -> [Markup] {
        let state: Markup =
            switch url.state {
            case .enabled: #"<span class="state good">Open</span>"#
            case .disabled: #"<span class="state off">Shut down</span>"#
            default: #"<span class="state off">Released</span>"#
            }
        let address = "\(visitor.door.address.publicURL)/\(url.slug)"
        let name: Markup =
            url.state == .enabled
            ? #"<a class="name" href="/\#(url.slug)">\#(address)</a>"#
            : #"<span class="name">\#(address)</span>"#
        let values = [("slug", url.slug)]
        let release = button(
            "release", "Release", spoken: "Release \(url.slug)", values, look: "danger")
        let actions: Markup =
            switch url.state {
            case .enabled:
                """
                \(button("disable", "Shut down", spoken: "Shut down \(url.slug)", values))
                \(release)
                """
            case .disabled:
                """
                \(button("enable", "Open", spoken: "Open \(url.slug)", values))
                \(release)
                """
            default: button("add", "Take back", spoken: "Take back \(url.slug)", values)
            }
        let day = (url.releasedAt ?? url.createdAt)?.day ?? ""
        return [
            """
            \(name)<p class="narrow-only facts">\(state)</p>
            """, state, "\(day)",
            rights.may(.editAppearance) ? #"<div class="buttons">\#(actions)</div>"# : .empty,
        ]
    }

    /// Does what a form of the tab asks for.
    func saveURLs(_ form: Form) async throws(Problem) -> Outcome {
        let slug = form["slug"].trimmed
        switch form[Self.actionField] {
        case "add":
            _ = try await visitor.ask(.organizations, key: form.key) {
                try await CustomUrlsClient($0).createCustomUrl(
                    CreateCustomUrlRequest(organizationID: id, slug: slug), options: $1)
            }
            return Outcome(done: .added)
        case "disable":
            _ = try await visitor.ask(.organizations, key: form.key) {
                try await CustomUrlsClient($0).disableCustomUrl(
                    DisableCustomUrlRequest(organizationID: id, slug: slug), options: $1)
            }
            return Outcome(done: .disabled)
        case "enable":
            _ = try await visitor.ask(.organizations, key: form.key) {
                try await CustomUrlsClient($0).enableCustomUrl(
                    EnableCustomUrlRequest(organizationID: id, slug: slug), options: $1)
            }
            return Outcome(done: .enabled)
        case "release":
            _ = try await visitor.ask(.organizations, key: form.key) {
                try await CustomUrlsClient($0).deleteCustomUrl(
                    DeleteCustomUrlRequest(organizationID: id, slug: slug), options: $1)
            }
            return Outcome(done: .released)
        default: throw .noSuchAction
        }
    }
}
