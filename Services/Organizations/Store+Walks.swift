import Access
import ServiceKit
import Storage

/// What a list is ordered by, of one organization; lists go on after the place of their last.
struct ListPlace: Sendable, Hashable {
    let value: SQLValue
    let number: Int64

    /// The place before the first entry of an order.
    static func start(of order: ListOrder) -> ListPlace {
        switch (order.key, order.isDescending) {
        case (.title, false): ListPlace(value: .text(""), number: 0)
        // No title is ordered by a text that begins with the last character there is.
        case (.title, true): ListPlace(value: .text("\u{10FFFF}"), number: .max)
        case (_, false): ListPlace(value: .integer(.min), number: 0)
        case (_, true): ListPlace(value: .integer(.max), number: .max)
        }
    }

    /// The place in a page token of ours.
    init?(_ keys: [SQLValue]?) {
        guard let keys, keys.count >= 2, case .integer(let number) = keys[1] else { return nil }
        self.init(value: keys[0], number: number)
    }

    init(value: SQLValue, number: Int64) {
        self.value = value
        self.number = number
    }

    /// The place of an organization.
    init(_ node: Node, by key: ListKey) {
        let value: SQLValue =
            switch key {
            case .updated: .integer(node.updatedAt.microseconds)
            case .title: .text(node.details.title.order)
            case .members: .integer(node.members)
            }
        self.init(value: value, number: node.number)
    }

    /// Whether another place comes after this one, ordered as the database does: by bytes.
    func precedes(_ other: ListPlace, in order: ListOrder) -> Bool {
        let isBefore =
            switch (value, other.value) {
            case (.integer(let one), .integer(let another)) where one != another: one < another
            case (.text(let one), .text(let another)) where !one.utf8.elementsEqual(another.utf8):
                one.utf8.lexicographicallyPrecedes(another.utf8)
            default: number < other.number
            }
        return order.isDescending ? !isBefore && self != other : isBefore
    }
}

// Present organizations in the order of a list, by an index that goes on from any place.

extension Statements {
    /// The children of a parent, or the roots.
    static func children(
        of parent: Int64?, in order: ListOrder, after place: ListPlace, limit: Int
    ) -> SQL {
        switch (order.key, order.isDescending) {
        case (.updated, false):
            """
            SELECT \(Node.columns) FROM organization WHERE parent IS \(parent) AND standing = 1
                AND (updated_micros, serial) > (\(place.value), \(place.number))
            ORDER BY updated_micros, serial LIMIT \(limit)
            """
        case (.updated, true):
            """
            SELECT \(Node.columns) FROM organization WHERE parent IS \(parent) AND standing = 1
                AND (updated_micros, serial) < (\(place.value), \(place.number))
            ORDER BY updated_micros DESC, serial DESC LIMIT \(limit)
            """
        case (.title, false):
            """
            SELECT \(Node.columns) FROM organization WHERE parent IS \(parent) AND standing = 1
                AND (title_order, serial) > (\(place.value), \(place.number))
            ORDER BY title_order, serial LIMIT \(limit)
            """
        case (.title, true):
            """
            SELECT \(Node.columns) FROM organization WHERE parent IS \(parent) AND standing = 1
                AND (title_order, serial) < (\(place.value), \(place.number))
            ORDER BY title_order DESC, serial DESC LIMIT \(limit)
            """
        case (.members, false):
            """
            SELECT \(Node.columns) FROM organization WHERE parent IS \(parent) AND standing = 1
                AND (members, serial) > (\(place.value), \(place.number))
            ORDER BY members, serial LIMIT \(limit)
            """
        case (.members, true):
            """
            SELECT \(Node.columns) FROM organization WHERE parent IS \(parent) AND standing = 1
                AND (members, serial) < (\(place.value), \(place.number))
            ORDER BY members DESC, serial DESC LIMIT \(limit)
            """
        }
    }

    /// All organizations, at every level.
    static func everywhere(
        in order: ListOrder, after place: ListPlace, limit: Int
    ) -> SQL {
        switch (order.key, order.isDescending) {
        case (.updated, false):
            """
            SELECT \(Node.columns) FROM organization WHERE standing = 1
                AND (updated_micros, serial) > (\(place.value), \(place.number))
            ORDER BY updated_micros, serial LIMIT \(limit)
            """
        case (.updated, true):
            """
            SELECT \(Node.columns) FROM organization WHERE standing = 1
                AND (updated_micros, serial) < (\(place.value), \(place.number))
            ORDER BY updated_micros DESC, serial DESC LIMIT \(limit)
            """
        case (.title, false):
            """
            SELECT \(Node.columns) FROM organization WHERE standing = 1
                AND (title_order, serial) > (\(place.value), \(place.number))
            ORDER BY title_order, serial LIMIT \(limit)
            """
        case (.title, true):
            """
            SELECT \(Node.columns) FROM organization WHERE standing = 1
                AND (title_order, serial) < (\(place.value), \(place.number))
            ORDER BY title_order DESC, serial DESC LIMIT \(limit)
            """
        case (.members, false):
            """
            SELECT \(Node.columns) FROM organization WHERE standing = 1
                AND (members, serial) > (\(place.value), \(place.number))
            ORDER BY members, serial LIMIT \(limit)
            """
        case (.members, true):
            """
            SELECT \(Node.columns) FROM organization WHERE standing = 1
                AND (members, serial) < (\(place.value), \(place.number))
            ORDER BY members DESC, serial DESC LIMIT \(limit)
            """
        }
    }
}
