/// A form that was sent, where its fields cannot be shown: it is kept whole, to be sent again.
struct KeptForm: Sendable {
    /// Where it goes.
    let path: String
    let form: Form

    /// The form as it is shown: a button.
    var markup: Markup {
        """
        <form method="post" action="\(path)" novalidate>
        \(HiddenFields(form.pairs).markup)
        <button type="submit">Send it again</button>
        </form>
        """
    }
}

/// The page for somebody whose form came to no end that is known: what was typed is kept on it.
///
/// The form keeps its key: what was done already is not done once more.
struct KeptFormPage: Sendable {
    let problem: Problem
    let form: KeptForm
    /// Whether it is a form of the console.
    var isInConsole = false

    /// The page.
    var frame: PageFrame {
        PageFrame(
            title: "This does not work at the moment",
            markup: """
                <h1>This does not work at the moment</h1>
                <p class="lead">\(problem.message)</p>
                <p>Nothing is lost: this page keeps what you typed. Send it again in a moment; \
                what is done already is not done twice.</p>
                \(form.markup)
                """, hasForm: true, isConsole: isInConsole)
    }
}
