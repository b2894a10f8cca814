import Encodings

/// The page at the root: what this is, whether it is ready, and how to begin.
struct WelcomePage: Sendable {
    /// The four services.
    let states: [Pages.State]
    /// Where clients reach the gateway.
    let publicURL: String

    /// The page.
    var frame: PageFrame { PageFrame(title: "Guildhall", content: content) }

    private var content: String {
        """
        <h1>Guildhall</h1>
        <p class="lead">Organizations, their members and seats, who sells to them, and what they
        look like: four services behind one address.</p>
        <p class="buttons"><a class="button" href="\(Console.path)">Sign in to the console</a>
        <a class="button second" href="\(SignUp.path)">Create an account</a></p>
        <h2>The parts</h2>
        <ul class="rows">
        <li><span>gateway</span><strong class="good">ready</strong></li>
        \(states.map(Self.row).joined(separator: "\n"))
        </ul>
        <h2>Sign in from a program</h2>
        <pre tabindex="0"><code>\(HTML.escaped(signIn))</code></pre>
        <p>Send the token of the answer with every request:</p>
        <pre tabindex="0"><code>\(HTML.escaped(list))</code></pre>
        <p>Every route is described at <a href="/docs">/docs</a>, for programs at
        <a href="/openapi.json">/openapi.json</a>. Whether the parts are ready is at
        <code>/healthz</code> and <code>/readyz</code>, too.</p>
        """
    }

    private var signIn: String {
        """
        curl -s \(publicURL)/v1/sessions \\
          -H 'Content-Type: application/json' \\
          -d '{"email": "you@example.org", "password": "…"}'
        """
    }

    private var list: String {
        """
        curl -s \(publicURL)/v1/organizations \\
          -H 'Authorization: Bearer TOKEN'
        """
    }

    private static func row(_ state: Pages.State) -> String {
        let word = state.isReady ? "ready" : "not ready"
        let look = state.isReady ? "good" : "bad"
        return """
            <li><span>\(state.upstream.rawValue)</span><strong class="\(look)">\(word)</strong></li>
            """
    }
}
