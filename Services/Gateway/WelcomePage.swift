/// The page at the root: what this is, whether it is ready, and how to begin.
///
/// Text and style alone.
struct WelcomePage: Sendable {
    /// Nothing but the page's own style is loaded or run.
    static let contentSecurityPolicy = """
        default-src 'none'; style-src 'sha256-\(styleHash)'; frame-ancestors 'none'; \
        base-uri 'none'; form-action 'none'
        """

    /// The four services.
    let states: [Pages.State]
    /// Where clients reach the gateway.
    let publicURL: String

    private static let style = """
        :root{color-scheme:light dark;--ink:#1d2530;--paper:#fbfaf7;--line:#d9d4c8;\
        --soft:#5d6673;--good:#1c7a4a;--bad:#b03a2e;--code:#f1eee6}
        @media(prefers-color-scheme:dark){:root{--ink:#e8e6e1;--paper:#16191e;--line:#333a44;\
        --soft:#a3abb7;--good:#5fd394;--bad:#ff8a7a;--code:#1f242b}}
        body{margin:0 auto;max-width:44rem;padding:3rem 1.25rem;background:var(--paper);\
        color:var(--ink);font:1.0625rem/1.6 Georgia,serif}
        h1{font-size:2.25rem;line-height:1.1;margin:0 0 .5rem}
        h2{font-size:1.125rem;margin:2.5rem 0 .5rem}
        p.lead{color:var(--soft);margin:0}
        ul{list-style:none;margin:0;padding:0;border-top:1px solid var(--line)}
        li{display:flex;justify-content:space-between;gap:1rem;padding:.5rem 0;\
        border-bottom:1px solid var(--line)}
        .good{color:var(--good)}.bad{color:var(--bad)}
        pre{background:var(--code);border:1px solid var(--line);border-radius:.375rem;\
        padding:1rem;overflow-x:auto;font:.875rem/1.5 ui-monospace,monospace}
        code{font-family:ui-monospace,monospace}p code{font-size:.9em}
        """

    private static let styleHash = Digest.base64(of: style)

    /// The page.
    var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Guildhall</title>
        <style>\(Self.style)</style>
        </head>
        <body>
        <main>
        <h1>Guildhall</h1>
        <p class="lead">Organizations, their members and seats, who sells to them, and what they
        look like: four services behind one address.</p>
        <h2>The parts</h2>
        <ul>
        <li><span>gateway</span><strong class="good">ready</strong></li>
        \(states.map(Self.row).joined(separator: "\n"))
        </ul>
        <h2>Sign in</h2>
        <pre><code>\(Self.escaped(signIn))</code></pre>
        <p>Send the token of the answer with every request:</p>
        <pre><code>\(Self.escaped(list))</code></pre>
        <p>For programs: <code>/healthz</code>, <code>/readyz</code>, and the API below
        <code>/v1</code>.</p>
        </main>
        </body>
        </html>

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

    /// Text as it stands in HTML.
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.append(character)
            }
        }
        return result
    }
}
