/// What a page says first: what went wrong, or what was done.
enum Notice {
    /// Why something was not done, with links to the fields that are wrong.
    ///
    /// - Parameters:
    ///   - problem: The refusal, as the service words it.
    ///   - heading: What was not done.
    ///   - fields: The fields of the form.
    /// - Returns: What is read out at once where a page is heard.
    static func refused(
        _ problem: Problem, _ heading: String = "Nothing was changed yet", fields: [Field] = []
    ) -> Markup {
        var sentences: [Markup] = []
        var isAnyFieldNamed = false
        for violation in problem.violations where !violation.message.isEmpty {
            if let field = fields.first(where: { $0.name == violation.at }) {
                isAnyFieldNamed = true
                sentences.append(
                    """
                    <li><a href="#\(field.id)">\(field.label)</a>: \(violation.message)</li>
                    """)
            } else if violation.message != problem.message {
                sentences.append("<li>\(violation.message)</li>")
            }
        }
        // The sentence of a validation, or of a large file, is that of its fields once more.
        let isOfField = problem.code == "validation" || problem.httpStatus == 413
        let isSaid = isOfField && isAnyFieldNamed
        let lead: Markup = isSaid ? "" : "<p>\(sentence(of: problem, isTyped: !fields.isEmpty))</p>"
        let list: Markup = sentences.isEmpty ? "" : "<ul>\(sentences)</ul>"
        return """
            <div class="notice" role="alert"><h2>\(heading)</h2>\(lead)\(list)</div>
            """
    }

    /// A field in which a form differs from what is kept.
    struct Difference: Sendable {
        /// The identifier of the field on the page.
        let id: String
        let label: String
        /// What is kept in it, in words.
        let kept: String
    }

    /// Says that what a form shows was changed before the form was sent.
    ///
    /// - Parameter differences: Where what was typed differs from what is kept by now.
    /// - Returns: What is read out at once where a page is heard.
    static func changedMeanwhile(_ differences: [Difference]) -> Markup {
        let items = differences.map { difference -> Markup in
            """
            <li><a href="#\(difference.id)">\(difference.label)</a>: now \(difference.kept)</li>
            """
        }
        let list: Markup =
            items.isEmpty
            ? "<p>Nothing that you typed differs from what is kept by now.</p>"
            : "<p>What you typed differs from what is kept by now:</p><ul>\(items)</ul>"
        return """
            <div class="notice" role="alert"><h2>It was changed meanwhile</h2>
            <p>Nothing of yours was saved yet, and nothing is lost: what you typed stands below, \
            beside what has changed. Save again to have it so.</p>\(list)</div>
            """
    }

    /// What was done.
    static func done(_ sentence: String) -> Markup {
        #"<div class="notice done" role="status"><p>\#(sentence)</p></div>"#
    }

    /// What to know.
    static func hint(_ sentence: Markup) -> Markup {
        #"<div class="notice hint"><p>\#(sentence)</p></div>"#
    }

    /// What a person reads of a problem that is about no field.
    private static func sentence(of problem: Problem, isTyped: Bool) -> String {
        switch problem.httpStatus {
        case 413: "It is too long. Please shorten it."
        case 500...:
            problem.message + " Please try again in a moment"
                + (isTyped ? "; what you typed is kept." : ".")
        default: problem.message
        }
    }
}
