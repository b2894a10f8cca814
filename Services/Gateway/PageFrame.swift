/// What the gateway's pages have in common: their look, and the links at their end.
///
/// Text and style alone; a page works without scripts, and none is let run.
struct PageFrame: Sendable {
    /// The page's name, as a browser's tab shows it.
    let title: String
    /// What stands between the top and the links, as HTML.
    let content: String
    /// Whether it has a form, which goes to the gateway itself.
    var hasForm = false
    /// Whether it belongs to the console: wide, with its links at the top.
    var isConsole = false
    /// What the links at the top of the console lead to.
    var menu = ConsoleMenu()
    /// Whether it shows images, which the gateway itself has.
    var hasImages = false

    init(title: String, content: String, hasForm: Bool = false) {
        self.title = title
        self.content = content
        self.hasForm = hasForm
    }

    /// A page whose content is made of parts.
    init(
        title: String, markup: Markup, hasForm: Bool = false, isConsole: Bool = false,
        menu: ConsoleMenu = ConsoleMenu()
    ) {
        self.title = title
        self.content = markup.html
        self.hasForm = hasForm || isConsole
        self.isConsole = isConsole
        self.menu = menu
    }

    /// The page as an answer.
    func answer(_ status: Int = 200) -> Answer {
        Answer(
            status: status,
            fields: [
                "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store",
                "Content-Security-Policy": contentSecurityPolicy,
                // Browsers do not say where a form comes from when they are told to say nothing.
                "Referrer-Policy": hasForm ? "same-origin" : "no-referrer",
            ],
            body: Array(html.utf8))
    }

    /// Nothing but the pages' own style is loaded or run.
    private var contentSecurityPolicy: String {
        """
        default-src 'none'; style-src 'sha256-\(Self.styleHash)'; \
        \(hasImages ? "img-src 'self'; " : "")frame-ancestors 'none'; \
        base-uri 'none'; form-action \(hasForm ? "'self'" : "'none'")
        """
    }

    private static let styleHash = Digest.base64(of: PageStyle.text)

    /// The links at the end of every page.
    private static let links = [("/", "Guildhall"), ("/docs", "API"), (Contact.path, "Contact")]

    private var html: String {
        let links = Self.links.map { #"<li><a href="\#($0)">\#($1)</a></li>"# }
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(HTML.escaped(title))</title>
            <style>\(PageStyle.text)</style>
            </head>
            <body\(isConsole ? " class=\"console\"" : "")>
            \(isConsole ? menu.header.html : "")
            <main id="content">
            \(content)
            </main>
            <footer><nav aria-label="Further pages"><ul>\(links.joined())</ul></nav></footer>
            </body>
            </html>

            """
    }
}

/// Text in HTML.
enum HTML {
    /// Text as it stands in HTML.
    static func escaped(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
