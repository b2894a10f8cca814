import Access

/// The links at the top of every page of the console.
struct ConsoleMenu: Sendable {
    /// Whether the pages of the platform are among them; the services refuse to others what is
    /// done there.
    var isForStaff = false
    /// Whether imports are among them.
    var hasImports = false

    private var links: [(title: String, path: String)] {
        [("Organizations", Console.listPath)]
            + (hasImports ? [("Imports", ImportDesk.path)] : [])
            + (isForStaff ? PlatformPart.allCases.map { ($0.title, $0.path) } : [])
    }

    /// What stands at the top.
    var header: Markup {
        let items = links.map { #"<li><a href="\#($0.path)">\#($0.title)</a></li>"# as Markup }
        return """
            <a class="skip" href="#content">Skip to the content</a>
            <header class="top"><nav aria-label="Console">\
            <a class="brand" href="\(Console.path)">Guildhall</a>
            <ul>\(items)</ul></nav>
            <form class="action" method="post" action="\(SignIn.outPath)"><button type="submit" \
            class="quiet">Sign out</button></form></header>
            """
    }
}

extension Visitor {
    /// Whether imports are offered.
    var mayImport: Bool { mayAnywhere(.importOrganizations) }

    /// The links at the top of the pages that somebody sees.
    var menu: ConsoleMenu {
        ConsoleMenu(isForStaff: maySetUpPlatform, hasImports: mayImport)
    }
}
