import Messages
import Testing

/// Large messages share their fields between copies, which nobody may notice.
@Suite struct `Copies of a large message` {
    private let original = Organization(
        id: "a", title: "School", version: 7, path: [PathElement(id: "b", title: "City")],
        services: ["pls"])

    @Test func `a change of a copy leaves the others alone`() {
        var copy = original
        copy.title = "Academy"
        copy.services.append("chat")
        copy.path[0].title = "Town"

        #expect(copy.title == "Academy")
        #expect(copy.services == ["pls", "chat"])
        #expect(copy.path.map(\.title) == ["Town"])
        #expect(copy.id == "a" && copy.version == 7, "what was not changed is still there")
        #expect(original.title == "School")
        #expect(original.services == ["pls"])
        #expect(original.path.map(\.title) == ["City"])
    }

    @Test func `a change of an empty message leaves other empty messages alone`() {
        var changed = Organization()
        changed.title = "School"

        #expect(Organization().title.isEmpty)
        #expect(Organization() != changed)
    }

    @Test func `a copy is equal until it changes, and again once it is changed back`() {
        var copy = original
        #expect(copy == original)
        copy.version = 8
        #expect(copy != original)
        copy.version = 7
        #expect(copy == original)
        #expect(copy.hashValue == original.hashValue)
    }

    @Test func `a change of one field leaves all others as they were`() throws {
        var changed = original
        changed.version = 8

        let before = Mirror(reflecting: original).children
        let after = Mirror(reflecting: changed).children
        #expect(before.count == 29)
        let differing = zip(before, after).filter {
            String(reflecting: $0.value) != String(reflecting: $1.value)
        }
        #expect(differing.map(\.0.label) == ["version"])
    }

    @Test func `its description shows the fields`() {
        let text = String(describing: original)

        #expect(text.hasPrefix("Organization(id: \"a\", parentID: \"\", depth: 0, title: \"School"))
        #expect(!text.contains("Storage"))
    }
}
