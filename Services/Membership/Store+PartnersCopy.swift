import Access
import Messages
import RPC
import ServiceKit
import Storage

// What is kept of Partners' facts.

extension Reading {
    /// Whether the copy has come to the end of the feed once, so that it is not in the past.
    func isPartnersCopyFilled() throws -> Bool {
        try exists("SELECT 1 FROM partners_copy WHERE only = 1 AND filled = 1")
    }

    /// Whether the copy is there; somebody may have taken it away.
    func hasPartnersCopy() throws -> Bool {
        try exists("SELECT 1 FROM partners_copy LIMIT 1")
    }

    /// Those of some courses that the catalog has.
    func catalogCourses(_ ids: [CourseID]) throws -> [CourseID: CatalogCourse] {
        var found: [CourseID: CatalogCourse] = [:]
        for part in ids.parts() {
            // The chapters of the module matter to courses that belong to none.
            let courses = try rows(
                """
                SELECT c.id, c.name, c.module_id, c.chapter_id,
                    CASE WHEN c.chapter_id IS NULL THEN m.chapters END
                FROM catalog_course AS c
                LEFT JOIN catalog_module AS m ON m.id = c.module_id AND m.removed = 0
                WHERE c.id IN (\(list: part)) AND c.removed = 0 LIMIT \(part.count)
                """
            ) { row in
                let place = CoursePlace(
                    module: try row.identifier(2), chapter: try row.identifierOrNil(3),
                    chaptersOfModule: Set(ChapterID.unpacked(try row.bytesOrNil(4) ?? [])))
                return (
                    id: try row.identifier(0, as: CourseID.self),
                    course: CatalogCourse(name: try row.text(1), place: place)
                )
            }
            for (id, course) in courses { found[id] = course }
        }
        return found
    }

    /// The modules that are set at the organizations of a path; those at which nothing is set are
    /// left out.
    func moduleScopes(
        setAt organizations: [OrganizationID]
    ) throws -> [OrganizationID: ModuleScope] {
        let found = try rows(
            """
            SELECT organization_id, grants FROM organization_modules
            WHERE organization_id IN (\(list: organizations)) AND grants IS NOT NULL
            LIMIT \(organizations.count)
            """
        ) { row in
            (
                try row.identifier(0, as: OrganizationID.self),
                ModuleScope(try ModuleGrants(decoding: try row.bytes(1), limits: .bulk))
            )
        }
        return Dictionary(found, uniquingKeysWith: { one, _ in one })
    }

    /// What the subscriptions of an organization give on a day, those first that give longest.
    func subscriptionGifts(
        of organization: OrganizationID, on day: CalendarDay, limit: Int
    ) throws -> [Gift] {
        try rows(
            """
            SELECT id, courses FROM subscription
            WHERE organization_id = \(organization) AND gives_until >= \(day)
            ORDER BY gives_until DESC, id DESC LIMIT \(limit)
            """
        ) { row in
            let id = try row.identifier(0, as: SubscriptionID.self)
            return Gift(
                source: GiftSource(kind: .subscription, id: id.text),
                courses: CourseID.unpacked(try row.bytes(1)))
        }
    }
}

extension Transaction {
    /// Notes whether the copy is at the end of the feed.
    func markPartnersCopy(filled: Bool) throws {
        try execute(
            """
            INSERT INTO partners_copy (only, filled) VALUES (1, \(filled))
            ON CONFLICT (only) DO UPDATE SET filled = excluded.filled
            """)
    }

    /// Lets everything that is known give way to whatever comes.
    func markPartnersFactsStale() throws {
        try execute("UPDATE catalog_module SET stale = 1, version = 0")
        try execute("UPDATE catalog_course SET stale = 1, version = 0")
        try execute("UPDATE organization_modules SET stale = 1, version = 0")
        try execute("UPDATE subscription SET stale = 1, version = 0")
    }

    /// Removes what has not come again.
    func removeStalePartnersFacts() throws {
        try execute("DELETE FROM catalog_module WHERE stale = 1")
        try execute("DELETE FROM catalog_course WHERE stale = 1")
        try execute("DELETE FROM organization_modules WHERE stale = 1")
        try execute("DELETE FROM subscription WHERE stale = 1")
    }

    func keep(_ module: Module, id: ModuleID, version: Int64) throws {
        let chapters = ChapterID.packed(module.chapters.compactMap { ChapterID(text: $0.id) })
        try execute(
            """
            INSERT INTO catalog_module (id, name, chapters, version, removed, stale)
            VALUES (\(id), \(module.name), \(chapters), \(version), \(module.removed), 0)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, chapters = excluded.chapters,
                version = excluded.version, removed = excluded.removed, stale = 0
            WHERE catalog_module.version < excluded.version
            """)
    }

    func keep(_ course: Course, id: CourseID, module: ModuleID?, version: Int64) throws {
        let chapter = ChapterID(text: course.chapterID)
        try execute(
            """
            INSERT INTO catalog_course (id, name, module_id, chapter_id, version, removed, stale)
            VALUES (\(id), \(course.name), \(module), \(chapter), \(version), \(course.removed), 0)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, module_id = excluded.module_id,
                chapter_id = excluded.chapter_id, version = excluded.version,
                removed = excluded.removed, stale = 0
            WHERE catalog_course.version < excluded.version
            """)
    }

    /// Keeps what is set at an organization; nil: nothing.
    func keep(
        _ grants: ModuleGrants?, of organization: OrganizationID, version: Int64
    ) throws {
        try execute(
            """
            INSERT INTO organization_modules (organization_id, grants, version, stale)
            VALUES (\(organization), \(grants?.encoded()), \(version), 0)
            ON CONFLICT (organization_id) DO UPDATE SET grants = excluded.grants,
                version = excluded.version, stale = 0
            WHERE organization_modules.version < excluded.version
            """)
    }

    func keep(
        _ subscription: Subscription, id: SubscriptionID, of organization: OrganizationID,
        version: Int64
    ) throws {
        let courses = CourseID.packed(subscription.courseIDs.compactMap { CourseID(text: $0) })
        let last = subscription.givesUntil.map { CalendarDay(daysSince1970: Int($0)) }
        try execute(
            """
            INSERT INTO subscription (id, organization_id, gives_until, courses, version, stale)
            VALUES (\(id), \(organization), \(last), \(courses), \(version), 0)
            ON CONFLICT (id) DO UPDATE SET organization_id = excluded.organization_id,
                gives_until = excluded.gives_until, courses = excluded.courses,
                version = excluded.version, stale = 0
            WHERE subscription.version < excluded.version
            """)
    }
}
