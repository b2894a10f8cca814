/// A field of a form: its label, what is typed, a hint, and what is wrong with it.
struct Field: Sendable {
    /// One of several that are offered.
    struct Option: Sendable, Hashable {
        let value: String
        let label: String
    }

    /// How it is filled in.
    enum Control: Sendable {
        case line(type: String, autocomplete: String = "off")
        /// A number. What is none is sent, too, so that it is refused: of a number that is typed in
        /// part a browser's own field sends nothing.
        case digits
        case area(rows: Int)
        case choice([Option], none: String?)
        case box
        /// A file of one of the kinds, such as `.csv,text/csv`.
        case file(kinds: String)

        /// A line of text.
        static let text = Control.line(type: "text")
        /// An email address.
        static let email = Control.line(type: "email")
        /// A day of the calendar, for what is only looked for.
        static let date = Control.line(type: "date")
    }

    /// Its name in the form and in what services refuse.
    let name: String
    let label: String
    var control = Control.text
    var isRequired = false
    var hint = ""
    /// Whether it has a row of its own.
    var isWide = false
    /// What stands above a box, where the fields beside it have their labels.
    var heading = ""

    /// Its identifier on the page.
    var id: String { name }

    /// The field as it is shown.
    ///
    /// - Parameters:
    ///   - form: What is typed.
    ///   - problem: Why it was not taken.
    /// - Returns: The label, the hint, what is filled in, and what is wrong with it.
    func markup(_ form: Form, _ problem: Problem? = nil) -> Markup {
        let fault = problem?.violations.first { $0.at == name && !$0.message.isEmpty }?.message
        let described = [
            hint.isEmpty ? nil : "\(id)-hint", fault == nil ? nil : "\(id)-fault",
        ].compactMap { $0 }.joined(separator: " ")
        let required: Markup = isRequired ? #" aria-required="true""# : ""
        let invalid: Markup = fault == nil ? "" : #" aria-invalid="true""#
        let description: Markup =
            described.isEmpty ? "" : #" aria-describedby="\#(described)""#
        let marks: Markup = #"id="\#(id)" name="\#(name)"\#(required)\#(invalid)\#(description)"#
        let hintLine: Markup =
            hint.isEmpty ? "" : #"<p class="hint" id="\#(id)-hint">\#(hint)</p>"#
        let faultLine: Markup =
            fault.map { #"<p class="fault" id="\#(id)-fault">\#($0)</p>"# } ?? ""
        if case .box = control {
            let checked: Markup = form.has(name) ? " checked" : ""
            let headLine: Markup = heading.isEmpty ? "" : #"<p class="heading">\#(heading)</p>"#
            return """
                <div class="field box">\(headLine)\
                <input type="checkbox" \(marks) value="on"\(checked)>
                <label for="\(id)">\(label)</label>\(hintLine)\(faultLine)</div>
                """
        }
        let wide: Markup = isWide ? " wide" : ""
        let mark: Markup = isRequired ? " <span>(required)</span>" : ""
        return """
            <div class="field\(wide)"><label for="\(id)">\(label)\(mark)</label>
            \(hintLine)\(entry(form[name], marks))\(faultLine)</div>
            """
    }

    private func entry(_ value: String, _ marks: Markup) -> Markup {
        switch control {
        case .line(let type, let autocomplete):
            // A password is typed again: it is not sent back.
            let shown = type == "password" ? "" : value
            return """
                <input type="\(type)" \(marks) value="\(shown)" autocomplete="\(autocomplete)">
                """
        case .digits:
            return """
                <input type="text" inputmode="numeric" \(marks) value="\(value)" autocomplete="off">
                """
        // The line break after the tag is none of the text.
        case .area(let rows):
            return "<textarea \(marks) rows=\"\(rows)\">\n\(value)</textarea>"
        case .choice(let options, let none):
            let first: Markup = none.map { #"<option value="">\#($0)</option>"# } ?? ""
            // What is kept and not offered, such as a type that only others see, stays chosen.
            let isKnown = value.isEmpty || options.contains { $0.value == value }
            let all = isKnown ? options : options + [Option(value: value, label: value)]
            let rest = all.map { option -> Markup in
                let mark: Markup = option.value == value ? " selected" : ""
                return #"<option value="\#(option.value)"\#(mark)>\#(option.label)</option>"#
            }
            return "<select \(marks)>\(first)\(rest)</select>"
        case .file(let kinds):
            return #"<input type="file" \#(marks) accept="\#(kinds)">"#
        case .box: return .empty
        }
    }
}
