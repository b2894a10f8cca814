import Messages

/// The form in which a hook is described.
enum HookForm {
    static let url = Field(
        name: "url", label: "Address", isRequired: true,
        hint: "It begins with https:// and is one of the public Internet.", isWide: true)
    private static let kindsField = Field(name: "kinds", label: "What it is told")

    /// The fields of the form.
    static let fields = [url, kindsField]

    /// What a hook can be told.
    private static let offered: [HookEventKind] = [
        .organizationCreated, .organizationUpdated, .organizationArchived, .organizationRestored,
        .organizationRemoved, .organizationLapsed,
    ]

    /// What stands between kinds in one field.
    private static let separator = " "

    /// The form as it is shown.
    static func markup(_ form: Form, _ problem: Problem?) -> Markup {
        let ticked = kinds(in: form)
        let boxes = offered.map { kind -> Markup in
            let value = "\(kind.rawValue)"
            let mark: Markup = ticked.contains(kind) ? " checked" : ""
            return """
                <div class="field box"><input type="checkbox" id="kind-\(value)" name="kinds" \
                value="\(value)"\(mark)><label for="kind-\(value)">\(kind.words) \
                <code>\(kind.name)</code></label></div>
                """
        }
        let fault = problem?.violations.first { $0.at.hasPrefix(kindsField.name) }
        let faultLine: Markup = fault.map { #"<p class="fault">\#($0.message)</p>"# } ?? ""
        return """
            \(url.markup(form, problem))
            <fieldset id="kinds" class="boxes events" aria-describedby="kinds-hint">\
            <legend>What it is told</legend>\
            <p class="hint" id="kinds-hint">None of them: everything.</p>\(faultLine)
            \(boxes)</fieldset>
            """
    }

    /// The kinds that were ticked in a form.
    static func kinds(in form: Form) -> [HookEventKind] {
        form.all(kindsField.name).compactMap { Int32($0) }.map { HookEventKind(rawValue: $0) }
    }

    /// The form in which a hook stands as it is.
    static func filled(with hook: Hook) -> Form {
        var form = Form([url.name: hook.url, Form.etagField: hook.etag])
        form.tick(kindsField.name, hook.kinds.map { "\($0.rawValue)" })
        return form
    }

    /// What stood in a form when it was shown, to be sent along with it.
    static func originals(of hook: Hook) -> [(name: String, value: String)] {
        [
            (name: Form.etagField, value: hook.etag),
            (name: Form.original(url.name), value: hook.url),
            (name: Form.original(kindsField.name), value: list(hook.kinds)),
        ]
    }

    /// The fields in which something else was typed than stood there, as requests name them.
    static func touched(_ form: Form) -> [String] {
        var paths: [String] = []
        if form.isTouched(url.name) { paths.append("url") }
        if list(kinds(in: form)) != form[Form.original(kindsField.name)] { paths.append("kinds") }
        return paths
    }

    /// A form that was typed into while the hook was changed: what was not touched is as it is
    /// kept by now, each kind by itself.
    static func merged(_ form: Form, with hook: Hook) -> Form {
        let boxes = Boxes(name: kindsField.name, label: kindsField.label, groups: [])
        let entries = Entries(fields: [url], boxes: [boxes])
        var result = entries.merged(form, with: filled(with: hook))
        // None is everything, to which no tick adds: what was typed stays as a whole.
        let isAnyEverything = kinds(in: form).isEmpty || hook.kinds.isEmpty
        if isAnyEverything, touched(form).contains(kindsField.name) {
            result.tick(kindsField.name, form.all(kindsField.name))
        }
        return result
    }

    /// Where a form differs from what is kept by now.
    static func differences(_ form: Form, from hook: Hook) -> [Notice.Difference] {
        var differences: [Notice.Difference] = []
        if form[url.name].trimmed != hook.url {
            differences.append(.init(id: url.id, label: url.label, kept: hook.url))
        }
        if list(kinds(in: form)) != list(hook.kinds) {
            differences.append(
                .init(id: kindsField.id, label: kindsField.label, kept: words(hook.kinds)))
        }
        return differences
    }

    private static func list(_ kinds: [HookEventKind]) -> String {
        kinds.map(\.rawValue).sorted().map { "\($0)" }.joined(separator: separator)
    }

    /// What a hook is told, in words.
    static func words(_ kinds: [HookEventKind]) -> String {
        kinds.isEmpty ? "Everything" : kinds.map(\.words).joined(separator: ", ")
    }
}

extension HookEventKind {
    /// What happened, in words.
    var words: String {
        switch self {
        case .organizationCreated: "Created"
        case .organizationUpdated: "Changed"
        case .organizationArchived: "Archived"
        case .organizationRestored: "Restored"
        case .organizationRemoved: "Removed for good"
        case .organizationLapsed: "Expired or prolonged"
        case .hookTest: "Test"
        case .unspecified, .unrecognized: "Unknown"
        }
    }

    /// What a call is of, as it says itself.
    var name: String {
        switch self {
        case .organizationCreated: "organization.created"
        case .organizationUpdated: "organization.updated"
        case .organizationArchived: "organization.archived"
        case .organizationRestored: "organization.restored"
        case .organizationRemoved: "organization.removed"
        case .organizationLapsed: "organization.lapsed"
        case .hookTest: "hook.test"
        case .unspecified, .unrecognized: ""
        }
    }
}

extension Hook {
    /// Whether it is called, with its mark.
    var badge: Markup {
        enabled
            ? #"<span class="state good">On</span>"#
            : #"<span class="state off">\#(disabledReason.isEmpty ? "Off" : "Gave up")</span>"#
    }
}
