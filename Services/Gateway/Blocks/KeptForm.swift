/// A form that was sent, where its fields cannot be shown: it is kept whole, to be sent again.
struct KeptForm: Sendable {
    /// Where it goes.
    let path: String
    let form: Form

    /// The form as it is shown: a button, below the place of a file, which no page keeps.
    var markup: Markup {
        let hasFile = form.file != nil
        let kind: Markup = hasFile ? #" enctype="multipart/form-data""# : ""
        let name = Form.fileField
        let file: Markup =
            hasFile
            ? """
            <div class="field"><label for="\(name)">The file is not kept: it has to be chosen \
            again</label>
            <input type="file" id="\(name)" name="\(name)"></div>
            """ : ""
        return """
            <form method="post"\(kind) action="\(path)" novalidate>
            \(HiddenFields(form.pairs).markup)
            \(file)
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
    var menu = ConsoleMenu()

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
                """, hasForm: true, isConsole: isInConsole, menu: menu)
    }
}
