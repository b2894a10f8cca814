/// A credential that was just made: it is shown with the answer that made it, and nowhere else.
struct Secret: Sendable {
    /// What was made.
    let title: String
    /// The credential itself.
    let text: String
    let facts: [(label: String, value: String)]
    /// What it is for.
    let use: Markup
    /// Where one may go on, beside the way back.
    var next: (title: String, path: String)?
}

extension Sheet {
    /// The page with a credential.
    ///
    /// It is the answer to a form, so that no address leads to it, and kept nowhere on the way.
    func secretPage(_ secret: Secret) -> PageFrame {
        let next: Markup =
            secret.next.map { #"<a class="button" href="\#($0.path)">\#($0.title)</a>"# } ?? .empty
        return detail(
            secret.title, isRefused: false,
            """
            <div class="notice done" role="status"><p><strong>Copy the secret now.</strong> This \
            page shows it this once, and nobody can look it up later.</p></div>
            <p class="secret" aria-label="Secret"><code>\(secret.text)</code></p>
            <p>\(secret.use)</p>
            \(FactList(facts: secret.facts).markup)
            <p class="buttons">\(next)
            <a class="button second" href="\(path)">I have copied it: back to Programs</a></p>
            """)
    }
}
