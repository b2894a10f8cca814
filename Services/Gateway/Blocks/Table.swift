/// A table of data, and what leads on to its next part.
struct Table: Sendable {
    /// How a column is ordered.
    enum Order: String, Sendable {
        case none, ascending, descending
    }

    /// What stands at the head of a column.
    struct Column: Sendable {
        let title: String
        /// Where the order of the table by this column is.
        var link: String?
        var order = Order.none
        /// Whether it is left out on narrow screens, where the first column says it.
        var isWideOnly = false
        var isNumber = false
        /// Whether its head is only read out.
        var isHeadHidden = false

        fileprivate var classes: String {
            [isWideOnly ? "wide-only" : nil, isNumber ? "number" : nil].compactMap { $0 }
                .joined(separator: " ")
        }

        fileprivate var head: Markup {
            let mark: Markup = order == .none ? "" : #" aria-sort="\#(order.rawValue)""#
            let sign =
                switch order {
                case .none: ""
                case .ascending: " ▲"
                case .descending: " ▼"
                }
            let text: Markup =
                if let link {
                    #"<a href="\#(link)">\#(title)<span aria-hidden="true">\#(sign)</span></a>"#
                } else if isHeadHidden {
                    #"<span class="unseen">\#(title)</span>"#
                } else {
                    "\(title)"
                }
            return #"<th scope="col" class="\#(classes)"\#(mark)>\#(text)</th>"#
        }
    }

    /// What the table shows, for those who hear it.
    let caption: String
    let columns: [Column]
    /// The cells of each row; the first heads its row.
    let rows: [[Markup]]

    /// The table as it is shown.
    var markup: Markup {
        let lines = rows.map { cells -> Markup in
            let parts = zip(columns, cells).enumerated().map { index, pair -> Markup in
                index == 0
                    ? #"<th scope="row">\#(pair.1)</th>"#
                    : #"<td class="\#(pair.0.classes)">\#(pair.1)</td>"#
            }
            return "<tr>\(parts)</tr>"
        }
        return """
            <table><caption class="unseen">\(caption)</caption>
            <thead><tr>\(columns.map(\.head))</tr></thead>
            <tbody>\(lines)</tbody></table>
            """
    }
}

/// What leads from one part of a long list to the next.
struct Pagination: Sendable {
    /// The field of a query that says where a part begins.
    static let field = "page"

    let path: String
    /// The query of the list, without where its part begins.
    let parameters: [(name: String, value: String)]
    /// Where this part begins; empty for the first.
    let token: String
    /// Where the next part begins; empty when there is none.
    let next: String

    /// The links as they are shown; nothing when all is on one page.
    var markup: Markup {
        guard !token.isEmpty || !next.isEmpty else { return .empty }
        let first: Markup =
            token.isEmpty
            ? "" : #"<li><a href="\#(Link.to(path, parameters))">First page</a></li>"#
        let target = Link.to(path, parameters + [(Self.field, next)])
        let following: Markup =
            next.isEmpty ? "" : #"<li><a href="\#(target)" rel="next">Next page</a></li>"#
        return """
            <nav class="pages" aria-label="Pages of the list"><ul>\(first)\(following)</ul></nav>
            """
    }
}

/// Parts of something that are each a page of their own.
struct Tabs: Sendable {
    /// What the parts belong to, for those who hear it.
    let label: String
    let parts: [(title: String, path: String)]
    /// The path of the part that is shown.
    let current: String

    /// The links as they are shown.
    var markup: Markup {
        let items = parts.map { part -> Markup in
            let mark: Markup = part.path == current ? #" aria-current="page""# : ""
            return #"<li><a href="\#(part.path)"\#(mark)>\#(part.title)</a></li>"#
        }
        return #"<nav class="tabs" aria-label="\#(label)"><ul>\#(items)</ul></nav>"#
    }
}

/// A form that is one button.
struct ActionButton: Sendable {
    let action: String
    let label: String
    /// What is said to those who hear the page, where the label alone is not enough.
    var spoken = ""
    var values: [(name: String, value: String)] = []
    var look = "quiet"

    /// The form as it is shown; it carries a key, so that a double click does it once.
    var markup: Markup {
        let hidden = HiddenFields(
            values + [(Form.keyField, RequestIdentifier.make())]
        ).markup
        let name: Markup = spoken.isEmpty ? "" : #" aria-label="\#(spoken)""#
        return """
            <form class="action" method="post" action="\(action)">\(hidden)
            <button type="submit" class="\(look)"\(name)>\(label)</button></form>
            """
    }
}

/// Fields of a form that nobody sees.
struct HiddenFields: Sendable {
    let values: [(name: String, value: String)]

    init(_ values: [(name: String, value: String)]) {
        self.values = values
    }

    /// The key of the change in a form that is shown, made now unless it has one.
    init(key form: Form, _ values: [(name: String, value: String)] = []) {
        self.values = values + [(Form.keyField, form.key)]
    }

    var markup: Markup {
        Markup(
            values.map { #"<input type="hidden" name="\#($0.name)" value="\#($0.value)">"# })
    }
}
