/// What is kept of something, to be read: names with their values.
struct FactList: Sendable {
    /// Those without a value are left out.
    let facts: [(label: String, value: String)]

    /// The list as it is shown; nothing when nothing is kept.
    var markup: Markup {
        let items = facts.filter { !$0.value.isEmpty }.map { fact -> Markup in
            "<div><dt>\(fact.label)</dt><dd>\(fact.value)</dd></div>"
        }
        return items.isEmpty ? .empty : #"<dl class="kept">\#(items)</dl>"#
    }
}
