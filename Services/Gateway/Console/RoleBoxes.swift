import Messages

/// The roles of memberships as boxes to tick.
struct RoleBoxes: Sendable {
    /// The name of the boxes, and the place at which services refuse roles.
    static let name = "roles"
    /// What stands between roles in one field.
    private static let separator = " "

    /// The roles that are offered.
    let offered: [Messages.Role]
    let ticked: [Messages.Role]
    var hint = ""
    var problem: Problem?

    /// The roles that were ticked in a form.
    static func ticked(in form: Form) -> [Messages.Role] {
        form.all(name).compactMap { Int32($0) }.map { Messages.Role(rawValue: $0) }
    }

    /// The roles that were ticked when a form was shown.
    static func original(of form: Form) -> [Messages.Role] {
        form[Form.original(name)].split(separator: separator).compactMap { Int32($0) }
            .map { Messages.Role(rawValue: $0) }
    }

    /// Roles as one field of a form that is shown.
    static func original(_ roles: [Messages.Role]) -> (name: String, value: String) {
        (
            name: Form.original(name),
            value: roles.map { "\($0.rawValue)" }.joined(separator: separator)
        )
    }

    /// The boxes as they are shown.
    var markup: Markup {
        let boxes = offered.map { role -> Markup in
            let value = "\(role.rawValue)"
            let mark: Markup = ticked.contains(role) ? " checked" : ""
            return """
                <div class="field box"><input type="checkbox" id="role-\(value)" \
                name="\(Self.name)" value="\(value)"\(mark)>\
                <label for="role-\(value)">\(role.words)</label></div>
                """
        }
        let fault = problem?.violations.first { $0.at.hasPrefix(Self.name) }
        let faultLine: Markup = fault.map { #"<p class="fault">\#($0.message)</p>"# } ?? ""
        let described: Markup = hint.isEmpty ? "" : #" aria-describedby="\#(Self.name)-hint""#
        let hintLine: Markup =
            hint.isEmpty ? "" : #"<p class="hint" id="\#(Self.name)-hint">\#(hint)</p>"#
        return """
            <fieldset id="\(Self.name)" class="boxes"\(described)>\
            <legend>Roles</legend>\(hintLine)\(faultLine)
            \(boxes)</fieldset>
            """
    }
}
