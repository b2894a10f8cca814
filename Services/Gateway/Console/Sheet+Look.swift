import Access
import Messages
import RPC

// What an organization looks like: its colors and its logo, its own or inherited.

extension Sheet {
    /// The largest logo that is handed on; a larger one is refused before it is read.
    static let logoBytesMax = 1_024 * 1_024 - Multipart.besideFileBytesMax
    /// The same in words: what a service takes is less.
    static let logoBytesMaxWords = "512 KiB"

    private static let basics = [
        Field(name: "primary", label: "Primary color", hint: "Such as #1f4e8c."),
        Field(name: "secondary", label: "Secondary color", hint: "Such as #f2a33a."),
    ]
    private static let further = [
        Field(
            name: "name", label: "Another color",
            hint: "Its name, such as banner: lower-case letters, digits and dashes."),
        Field(name: "value", label: "Its value", hint: "Such as #ffcc00."),
    ]
    private static let image = Field(
        name: Form.fileField, label: "Image", control: .file(kinds: "image/png,image/jpeg"),
        isRequired: true,
        hint: "PNG or JPEG, at most 512 KiB and 2,048 pixels a side.")

    /// The tab.
    func look(_ form: Form?, _ problem: Problem?) async throws(Problem) -> Markup {
        let own = try await visitor.ask(.branding) {
            try await BrandingClient($0).getAppearance(
                GetAppearanceRequest(organizationID: id), options: $1)
        }
        let effective = try await visitor.ask(.branding) {
            try await BrandingClient($0).getEffectiveAppearance(
                GetEffectiveAppearanceRequest(organizationID: id), options: $1)
        }
        let action = form?[Self.actionField] ?? ""
        let isStale = problem?.httpStatus == 412
        let fields = action == "logo" ? [Self.image] : Self.basics + Self.further
        let notice: Markup =
            if isStale {
                Notice.refused(
                    Problem(
                        httpStatus: 412, code: "version_mismatch",
                        message: """
                            Somebody else has changed the look meanwhile; it is shown as it is \
                            now, and what you typed stays. Save again to have it so.
                            """), "Nothing was changed yet")
            } else {
                problem.map { Notice.refused($0, "Nothing was changed yet", fields: fields) }
                    ?? .empty
            }
        // What was typed is kept, whatever has become of white label.
        let isOpen =
            own.whiteLabel && rights.may(.editAppearance) || action == "colors" || action == "logo"
        return """
            \(notice)
            \(whiteLabel(own))
            \(preview(effective))
            \(colors(own, effective, action == "colors" ? form : nil, problem, isOpen: isOpen))
            \(logo(own, effective, action == "logo" ? problem : nil, isOpen: isOpen))
            """
    }

    private func whiteLabel(_ own: Appearance) -> Markup {
        let state: Markup =
            own.whiteLabel
            ? #"<span class="state good">On</span>"# : #"<span class="state off">Off</span>"#
        let sentence =
            own.whiteLabel
            ? "The organization may have colors, a logo and custom URLs of its own."
            : """
            Without it everything is inherited. Staff of the platform and partners switch it on; \
            what was set before counts again then.
            """
        let switching = button(
            "whiteLabel", own.whiteLabel ? "Switch off" : "Switch on",
            spoken: own.whiteLabel ? "Switch white label off" : "Switch white label on",
            [("enabled", own.whiteLabel ? "" : "on"), (Form.etagField, own.etag)])
        let buttons: Markup = #"<div class="buttons">\#(switching)</div>"#
        return """
            <section><h2>White label</h2><p>\(state)</p>
            <p>\(sentence)</p>\(rights.may(.switchWhiteLabel) ? buttons : .empty)</section>
            """
    }

    // MARK: Where values come from

    private func source(_ source: ValueSource?) -> Markup {
        guard let source, !source.organizationID.isEmpty else { return "From the platform" }
        guard source.organizationID != id else { return "Set here" }
        guard let above = organization.path.first(where: { $0.id == source.organizationID }) else {
            return "From an organization above"
        }
        return #"From <a href="\#(ConsoleTab.look.path(of: above.id))">\#(above.title)</a>"#
    }

    /// What takes a value of the organization's own away.
    private func reset(_ field: String, _ label: String, _ own: Appearance) -> Markup {
        button(
            "reset", "Inherit", spoken: "Inherit \(label)",
            [("field", field), (Form.etagField, own.etag)])
    }

    private func colors(
        _ own: Appearance, _ effective: EffectiveAppearance, _ form: Form?, _ problem: Problem?,
        isOpen: Bool
    ) -> Markup {
        let ownColors = own.colors ?? Colors()
        var lines: [(field: String, label: String, value: SourcedValue?, isOwn: Bool)] = [
            ("primary", "Primary", effective.primary, ownColors.primary != nil),
            ("secondary", "Secondary", effective.secondary, ownColors.secondary != nil),
        ]
        for (name, value) in effective.advanced.sorted(by: { $0.key < $1.key }) {
            lines.append(("advanced.\(name)", name, value, ownColors.advanced[name] != nil))
        }
        let rows = lines.map { line -> [Markup] in
            let color = line.value?.value ?? ""
            return [
                """
                <span class="name">\(line.label)</span>
                <p class="narrow-only facts"><span>\(source(line.value?.source))</span></p>
                """,
                """
                <span class="color">\(Swatch(color: color).markup)<code>\(color)</code></span>
                """, source(line.value?.source),
                isOpen && line.isOwn ? reset(line.field, line.label, own) : "",
            ]
        }
        let table = Table(
            caption: "Colors that hold",
            columns: [
                .init(title: "Color"), .init(title: "Value"),
                .init(title: "Comes from", isWideOnly: true),
                .init(title: "Actions", isHeadHidden: true),
            ], rows: rows)
        var shown = form ?? Form()
        if form == nil {
            shown["primary"] = ownColors.primary ?? ""
            shown["secondary"] = ownColors.secondary ?? ""
            shown[Form.etagField] = own.etag
        } else if problem?.httpStatus == 412 {
            shown[Form.etagField] = own.etag
        }
        let groups = [Self.basics, Self.further].map { fields -> Markup in
            let shown = fields.map { $0.markup(shown, problem.map(Self.placed)) }
            return #"<div class="fields">\#(shown)</div>"#
        }
        let hidden =
            [(name: Form.etagField, value: shown[Form.etagField])]
            + shown.originals(of: Self.basics.map(\.name))
        let change: Markup =
            isOpen
            ? self.form(
                shown, "colors", button: "Save colors", hidden: hidden, Markup(groups)) : .empty
        return """
            <section class="further"><h2>Colors</h2>\(table.markup)\(change)</section>
            """
    }

    private func logo(
        _ own: Appearance, _ effective: EffectiveAppearance, _ problem: Problem?, isOpen: Bool
    ) -> Markup {
        let shown: Markup =
            effective.logo.map { logo in
                """
                <img class="logo" src="\(logo.value)" alt="The logo that holds">
                <p class="about">\(source(logo.source))</p>
                """
            } ?? Self.nothing("There is no logo, here or above.")
        let inherit: Markup =
            isOpen && own.logoHash != nil
            ? #"<div class="buttons after">\#(reset("logo", "the logo", own))</div>"# : ""
        let hidden = HiddenFields(
            key: Form(), [(Self.actionField, "logo"), (Form.etagField, own.etag)])
        let upload: Markup =
            isOpen
            ? """
            <form method="post" enctype="multipart/form-data" action="\(path)" novalidate>\
            \(hidden.markup)\(Self.image.markup(Form(), problem.map(Self.placed)))
            <p class="buttons"><button type="submit">Upload the logo</button></p></form>
            """ : ""
        return """
            <section class="further"><h2>Logo</h2>\(shown)\(inherit)\(upload)</section>
            """
    }

    private func preview(_ effective: EffectiveAppearance) -> Markup {
        """
        <section class="further"><h2>Preview</h2>
        <p>What holds at the moment, its own or inherited.</p>
        \(LookPreview(title: organization.title, effective: effective).markup)</section>
        """
    }

    /// A refusal with the fields of the page as its places.
    private static func placed(_ problem: Problem) -> Problem {
        var problem = problem
        for index in problem.violations.indices {
            switch problem.violations[index].at {
            case "colors.primary": problem.violations[index].at = "primary"
            case "colors.secondary": problem.violations[index].at = "secondary"
            case "colors.advanced": problem.violations[index].at = "name"
            case let place where place.hasPrefix("colors.advanced."):
                problem.violations[index].at = "value"
            case "image": problem.violations[index].at = Form.fileField
            default: break
            }
        }
        return problem
    }

    // MARK: Changes

    /// Does what a form of the tab asks for.
    func saveLook(_ form: Form) async throws(Problem) -> Outcome {
        do throws(Problem) {
            return try await changeLook(form)
        } catch {
            throw Self.placed(error)
        }
    }

    private func changeLook(_ form: Form) async throws(Problem) -> Outcome {
        let etag = form[Form.etagField]
        switch form[Self.actionField] {
        case "whiteLabel":
            let isOn = form["enabled"] == "on"
            _ = try await visitor.ask(.branding, key: form.key, etag: etag) {
                try await BrandingClient($0).setWhiteLabel(
                    SetWhiteLabelRequest(organizationID: id, enabled: isOn), options: $1)
            }
            return Outcome(done: isOn ? .whiteLabelOn : .whiteLabelOff)
        case "colors":
            let colors = try Self.colors(form)
            guard colors != Colors() else { return Outcome(done: .saved) }
            _ = try await visitor.ask(.branding, key: form.key, etag: etag) {
                try await BrandingClient($0).updateAppearance(
                    UpdateAppearanceRequest(organizationID: id, colors: colors), options: $1)
            }
            return Outcome(done: .saved)
        case "reset":
            let field = form["field"]
            _ = try await visitor.ask(.branding, key: form.key, etag: etag) {
                try await BrandingClient($0).resetAppearance(
                    ResetAppearanceRequest(organizationID: id, field: field), options: $1)
            }
            return Outcome(done: .inherited)
        case "logo":
            guard let file = form.file else {
                throw .invalid(Form.fileField, "Please choose an image.")
            }
            _ = try await visitor.ask(.branding, key: form.key, etag: etag) {
                try await BrandingClient($0).setLogo(
                    SetLogoRequest(organizationID: id, image: Array(file)), options: $1)
            }
            return Outcome(done: .saved)
        default: throw .noSuchAction
        }
    }

    /// The colors that were typed: what was not touched is not sent.
    private static func colors(_ form: Form) throws(Problem) -> Colors {
        var colors = Colors()
        for field in basics where form.isTouched(field.name) {
            let value = form[field.name].trimmed
            guard !value.isEmpty else {
                throw .invalid(field.name, "To have it inherited, choose “Inherit” above.")
            }
            if field.name == "primary" { colors.primary = value } else { colors.secondary = value }
        }
        let (name, value) = (form["name"].trimmed, form["value"].trimmed)
        guard !name.isEmpty || !value.isEmpty else { return colors }
        guard !name.isEmpty else { throw .invalid("name", "Please name the color.") }
        colors.advanced[name] = value
        return colors
    }
}
