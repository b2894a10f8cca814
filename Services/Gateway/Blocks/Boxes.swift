/// Several of many that can be ticked, such as courses: in groups, where there are any.
struct Boxes: Sendable {
    /// Some of what is offered, under a heading; an empty one is not shown.
    struct Group: Sendable {
        var title = ""
        let options: [Field.Option]
    }

    /// The name in the form.
    let name: String
    let label: String
    var hint = ""
    var groups: [Group]
    /// Where in what services refuse it is named, when that is not by ``name``.
    var places: [String] = []
    /// The identifier on the page of what they are a part of, when they are no whole of their own.
    var wholeID: String?

    /// The identifier of the whole on the page.
    var id: String { wholeID ?? name }

    /// All that is offered.
    var options: [Field.Option] { groups.flatMap(\.options) }

    /// It as a field, for what a notice leads to.
    var field: Field { Field(name: name, label: label) }

    /// What a value is called.
    func label(of value: String) -> String {
        options.first { $0.value == value }?.label ?? value
    }

    /// Whether a refusal is about it, or about one of what was ticked.
    func isMeant(by place: String) -> Bool {
        (places + [name]).contains { place == $0 || place.hasPrefix($0 + "[") }
    }

    /// The boxes as they are shown.
    ///
    /// What is ticked and not offered, such as what others alone may see, stays ticked.
    /// - Parameters:
    ///   - form: What is ticked.
    ///   - problem: Why it was not taken.
    /// - Returns: The boxes with their heading.
    func markup(_ form: Form, _ problem: Problem? = nil) -> Markup {
        let ticked = form.all(name)
        let known = Set(options.map(\.value))
        let others = ticked.filter { !known.contains($0) }.map {
            Field.Option(value: $0, label: $0)
        }
        let all = groups + (others.isEmpty ? [] : [Group(title: "Others", options: others)])
        var number = 0
        let shown = all.filter { !$0.options.isEmpty }.map { group -> Markup in
            let boxes = group.options.map { option -> Markup in
                number += 1
                let mark: Markup = ticked.contains(option.value) ? " checked" : ""
                return """
                    <div class="field box"><input type="checkbox" id="\(id)-\(number)" \
                    name="\(name)" value="\(option.value)"\(mark)>\
                    <label for="\(id)-\(number)">\(option.label)</label></div>
                    """
            }
            guard !group.title.isEmpty else { return #"<div class="boxes">\#(boxes)</div>"# }
            return """
                <fieldset class="group"><legend>\(group.title)</legend>\
                <div class="boxes">\(boxes)</div></fieldset>
                """
        }
        let fault: Markup =
            problem?.violations.first { isMeant(by: $0.at) && !$0.message.isEmpty }
            .map { #"<p class="fault">\#($0.message)</p>"# } ?? ""
        let hintLine: Markup =
            hint.isEmpty ? "" : #"<p class="hint" id="\#(id)-hint">\#(hint)</p>"#
        let described: Markup = hint.isEmpty ? "" : #" aria-describedby="\#(id)-hint""#
        let none: Markup = shown.isEmpty ? #"<p class="hint">There are none yet.</p>"# : ""
        return """
            <fieldset id="\(id)" class="choices"\(described)><legend>\(label)</legend>\(hintLine)\
            \(fault)\(shown)\(none)</fieldset>
            """
    }
}

/// The fields and boxes of something that is kept, as a form shows and changes them.
///
/// A form carries what it showed: only what was touched is sent, and after a change of somebody
/// else what was not touched is theirs.
struct Entries: Sendable {
    var fields: [Field]
    var boxes: [Boxes] = []

    /// What stands between values in one field; no identifier has it.
    private static let separator = " "

    /// The fields that a notice may lead to.
    var all: [Field] { fields + boxes.map(\.field) }

    /// What nobody sees in the form: its version, and what it showed.
    func hidden(_ form: Form) -> [(name: String, value: String)] {
        let ticks = boxes.map { boxes in
            let original = Form.original(boxes.name)
            return (
                name: original,
                value: form.has(original)
                    ? form[original] : form.all(boxes.name).joined(separator: Self.separator)
            )
        }
        return [(name: Form.etagField, value: form[Form.etagField])]
            + form.originals(of: fields.map(\.name)) + ticks
    }

    private func original(_ boxes: Boxes, in form: Form) -> [String] {
        form[Form.original(boxes.name)].split(separator: Self.separator).map(String.init)
    }

    /// The names of what was touched.
    func touched(_ form: Form) -> Set<String> {
        let ticked = boxes.filter { Set(form.all($0.name)) != Set(original($0, in: form)) }
        return Set(fields.map(\.name).filter(form.isTouched) + ticked.map(\.name))
    }

    /// The form once somebody else has changed what it shows.
    ///
    /// - Parameters:
    ///   - form: What was typed.
    ///   - kept: The form as it stands with what is kept by now.
    /// - Returns: The form to be sent again.
    func merged(_ form: Form, with kept: Form) -> Form {
        var result = form.merged(with: kept, fields.map(\.name))
        for boxes in boxes {
            let (typed, was) = (Set(form.all(boxes.name)), Set(original(boxes, in: form)))
            let now = kept.all(boxes.name)
            let added = form.all(boxes.name).filter { !was.contains($0) && !now.contains($0) }
            let removed = was.subtracting(typed)
            result.tick(boxes.name, now.filter { !removed.contains($0) } + added)
            result[Form.original(boxes.name)] = now.joined(separator: Self.separator)
        }
        return result
    }

    /// Says that what the form shows was changed before it was sent.
    func changedMeanwhile(_ form: Form, _ kept: Form) -> Markup {
        let ticks = boxes.filter { Set(form.all($0.name)) != Set(kept.all($0.name)) }.map { boxes in
            let labels = kept.all(boxes.name).map(boxes.label)
            return Notice.Difference(
                id: boxes.id, label: boxes.label,
                kept: labels.isEmpty ? "none" : labels.joined(separator: ", "))
        }
        let typed = form.differences(from: kept, fields, nothing: "nothing").map { difference in
            let field = fields.first { $0.id == difference.id }
            return Notice.Difference(
                id: difference.id, label: difference.label,
                kept: field?.words(for: kept[difference.id]) ?? difference.kept)
        }
        return Notice.changedMeanwhile(typed + ticks)
    }

    /// A refusal with the names of the form as its places.
    ///
    /// - Parameters:
    ///   - problem: The refusal.
    ///   - prefix: The field of the request in which the form stands, with its dot.
    /// - Returns: The refusal by which the form is shown.
    func placed(_ problem: Problem, within prefix: String = "") -> Problem {
        var problem = problem
        for index in problem.violations.indices {
            var place = problem.violations[index].at
            if !prefix.isEmpty, place.hasPrefix(prefix) { place.removeFirst(prefix.count) }
            problem.violations[index].at = boxes.first { $0.isMeant(by: place) }?.name ?? place
        }
        return problem
    }

    /// The form that a page shows, and what stands above it.
    ///
    /// - Parameters:
    ///   - form: What was sent; nil when nothing was.
    ///   - kept: The form as it stands with what is kept.
    ///   - problem: Why what was sent was not taken.
    ///   - heading: What was not done.
    /// - Returns: The form, and the notice.
    func shown(
        _ form: Form?, kept: Form, _ problem: Problem?, _ heading: String = "Not saved yet"
    ) -> (form: Form, notice: Markup) {
        guard let form, let problem else { return (form ?? kept, .empty) }
        guard problem.httpStatus != 412 else {
            let merged = merged(form, with: kept)
            return (merged, changedMeanwhile(merged, kept))
        }
        return (form, Notice.refused(problem, heading, fields: all))
    }
}

extension Field {
    /// What a person reads of a value that is chosen, or of a box; nil of what is typed.
    fileprivate func words(for value: String) -> String? {
        switch control {
        case .box: value.isEmpty ? "not ticked" : "ticked"
        case .choice(let options, let none):
            options.first { $0.value == value }?.label ?? (value.isEmpty ? none : nil)
        case .line, .digits, .area, .file: nil
        }
    }
}
