/// The page with the contact form, and the one that follows it.
struct ContactPage: Sendable {
    /// What was typed so far.
    let form: ContactForm
    /// Why it was not taken.
    var problem: Problem?

    /// The page with the form.
    var frame: PageFrame {
        PageFrame(
            title: problem == nil ? "Contact" : "Not sent yet – Contact", content: content,
            hasForm: true)
    }

    /// The page after the form was sent.
    var thanks: PageFrame {
        PageFrame(
            title: "Sent – Contact",
            content: """
                <h1>Thank you</h1>
                <p class="lead">Your message is on its way. The answer comes to the email address
                that you gave.</p>
                <p><a href="\(Contact.path)\(place)">Write another message</a></p>
                """)
    }

    private var place: String {
        form.organization.isEmpty ? "" : "?organization=\(form.organization)"
    }

    /// What is wrong with a field.
    private func fault(_ field: ContactForm.Field) -> String? {
        problem?.violations.first { $0.at == field.rawValue }?.message
    }

    private var content: String {
        """
        <h1>Contact</h1>
        <p class="lead">Write to us, and we answer by email.</p>
        \(notice)
        <form method="post" action="\(Contact.path)" novalidate>
        \(form.organization.isEmpty ? "" : organization)
        \(ContactForm.Field.allCases.map(field).joined(separator: "\n"))
        <button type="submit">Send</button>
        </form>
        """
    }

    private var organization: String {
        #"<input type="hidden" name="organization" value="\#(HTML.escaped(form.organization))">"#
    }

    // MARK: What went wrong

    private var notice: String {
        guard let problem else { return "" }
        let faults = ContactForm.Field.allCases.compactMap { field in
            fault(field).map { sentence in
                """
                <li><a href="#\(field.rawValue)">\(field.label)</a>: \(HTML.escaped(sentence))</li>
                """
            }
        }
        let text =
            faults.isEmpty
            ? "<p>\(HTML.escaped(Self.sentence(of: problem)))</p>" : "<ul>\(faults.joined())</ul>"
        return """
            <div class="notice" role="alert"><h2>Your message was not sent yet</h2>\(text)</div>
            """
    }

    /// What a person reads of a problem that is about no field.
    private static func sentence(of problem: Problem) -> String {
        switch problem.httpStatus {
        case 413: "It is too long. Please shorten it."
        case 429:
            """
            \(reason(of: problem)) Please try again \(wait(of: problem)); what you wrote is kept \
            below.
            """
        case 500...:
            """
            We cannot take it at the moment. Please try again in a few minutes; what you wrote is \
            kept below.
            """
        default: problem.message
        }
    }

    private static func seconds(_ problem: Problem) -> Int {
        problem.fields["Retry-After"].flatMap { Int($0) } ?? 0
    }

    /// Messages are counted by the hour, calls from an address by the minute.
    private static func reason(of problem: Problem) -> String {
        seconds(problem) > 60
            ? "We have received many messages within the last hour."
            : "Much comes from your address at once."
    }

    private static func wait(of problem: Problem) -> String {
        let seconds = seconds(problem)
        guard seconds > 60 else { return "in a moment" }
        let minutes = (seconds + 59) / 60
        return minutes < 60 ? "in \(minutes) minutes" : "in an hour"
    }

    // MARK: Fields

    private func field(_ field: ContactForm.Field) -> String {
        let name = field.rawValue
        let fault = fault(field)
        let marks =
            #"id="\#(name)" name="\#(name)""#
            + (field == .name ? "" : #" aria-required="true""#)
            + (fault == nil ? "" : #" aria-invalid="true" aria-describedby="\#(name)-fault""#)
        let sentence = fault.map { sentence in
            #"<p class="fault" id="\#(name)-fault">\#(HTML.escaped(sentence))</p>"#
        }
        return """
            <div class="field">
            <label for="\(name)">\(field.label)\
            \(field == .name ? " <span>(if you like)</span>" : "")</label>
            \(control(field, marks))
            \(sentence ?? "")
            </div>
            """
    }

    private func control(_ field: ContactForm.Field, _ marks: String) -> String {
        let value = HTML.escaped(form[field])
        switch field {
        case .name: return #"<input \#(marks) value="\#(value)" autocomplete="name">"#
        case .email:
            return #"<input type="email" \#(marks) value="\#(value)" autocomplete="email">"#
        case .subject: return #"<input \#(marks) value="\#(value)">"#
        // The line break after the tag is none of the text.
        case .text: return "<textarea \(marks) rows=\"8\">\n\(value)</textarea>"
        case .kind:
            let kinds = ContactForm.kinds.map { kind -> String in
                let mark = form[.kind] == kind.value ? " selected" : ""
                return """
                    <option value="\(kind.value)"\(mark)>\(HTML.escaped(kind.label))</option>
                    """
            }
            return """
                <select \(marks)><option value="">Please choose</option>\(kinds.joined())</select>
                """
        }
    }
}
