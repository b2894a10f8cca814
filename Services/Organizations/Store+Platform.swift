import Access
import ServiceKit
import Storage

/// The settings of the platform as they are stored.
struct PlatformRecord: Sendable, Hashable {
    var values: PlatformValues
    /// Nil when nothing was ever set.
    var updatedAt: WallTime?
    var version: Int64
}

extension Statements {
    static func present(withTitleKey key: String, except number: Int64) -> SQL {
        """
        SELECT 1 FROM organization
        WHERE title_order = \(TitleOrder.text(of: key)) AND title_key = \(key) AND standing = 1
            AND number <> \(number)
        LIMIT 1
        """
    }

    static func prepared(withTitleKey key: String, except number: Int64) -> SQL {
        """
        SELECT 1 FROM organization
        WHERE title_key = \(key) AND standing = 2 AND number <> \(number) LIMIT 1
        """
    }
}

extension Reading {
    /// The settings of the platform.
    func platformSettings() throws -> PlatformRecord {
        let found = try row(
            """
            SELECT name_scope, contact_receivers, updated_micros, version, sign_up_approval
            FROM platform_settings WHERE only = 1
            """
        ) { row in
            PlatformRecord(
                values: PlatformValues(
                    nameScope: try NameScope(stored: row.int(0)),
                    contactReceivers: try row.text(1).split(separator: "\n").map(String.init),
                    signUpApproval: try row.bool(4)),
                updatedAt: try row.timeOrNil(2), version: try row.int64(3))
        }
        guard let found else { throw StorageFault.sql("the settings of the platform are gone") }
        return found
    }

    /// Refuses a title that another organization has, where titles are unique on the platform;
    /// the schema refuses it among siblings.
    func requireFreeTitle(of node: Node) throws {
        guard node.standing.holdsTitle else { return }
        let key = node.details.title.key
        if try isTitleReserved(key, below: node.parent) { throw Refusal.nameTaken }
        guard try platformSettings().values.nameScope == .global else { return }
        guard try !exists(Statements.present(withTitleKey: key, except: node.number)),
            try !exists(Statements.prepared(withTitleKey: key, except: node.number))
        else { throw Refusal.nameTaken }
    }
}

extension Transaction {
    /// Keeps settings of the platform as their next version.
    func update(
        _ settings: PlatformRecord, to values: PlatformValues, at now: WallTime
    ) throws -> PlatformRecord {
        let next = PlatformRecord(
            values: values, updatedAt: max(now, settings.updatedAt ?? now),
            version: settings.version + 1)
        try execute(
            """
            UPDATE platform_settings
            SET name_scope = \(values.nameScope.rawValue),
                contact_receivers = \(values.contactReceivers.joined(separator: "\n")),
                sign_up_approval = \(values.signUpApproval),
                updated_micros = \(next.updatedAt), version = \(next.version)
            WHERE only = 1
            """)
        return next
    }
}
