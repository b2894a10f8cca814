import Access
import ServiceKit
import Storage

// Modules with their chapters, and courses.

private let moduleColumns: SQL = "id, name, name_key, created_at, updated_at, version"
private let courseColumns: SQL =
    "id, name, name_key, module_id, chapter_id, created_at, updated_at, version"

extension Reading {
    func module(_ id: ModuleID) throws -> Module? {
        let found = try row(
            "SELECT \(moduleColumns) FROM module WHERE id = \(id)", Module.init(row:))
        guard var module = found else { return nil }
        module.chapters = try chapters(of: id)
        return module
    }

    func module(named key: String) throws -> ModuleID? {
        try row("SELECT id FROM module WHERE name_key = \(key)") { try $0.identifier(0) }
    }

    /// Modules by name, after a key, without their chapters.
    func bareModules(after key: String, limit: Int) throws -> [Module] {
        try rows(
            """
            SELECT \(moduleColumns) FROM module WHERE name_key > \(key)
            ORDER BY name_key LIMIT \(limit)
            """, Module.init(row:))
    }

    /// The chapters of a module, in their order.
    func chapters(of module: ModuleID) throws -> [Chapter] {
        try rows(
            """
            SELECT id, title, title_key FROM chapter WHERE module_id = \(module)
            ORDER BY position LIMIT \(CatalogLimits.chaptersMax)
            """
        ) { row in
            Chapter(
                id: try row.identifier(0),
                title: Name(text: try row.text(1), key: try row.text(2)))
        }
    }

    func hasChapter(_ chapter: ChapterID, in module: ModuleID) throws -> Bool {
        try exists("SELECT 1 FROM chapter WHERE module_id = \(module) AND id = \(chapter)")
    }

    func moduleCount() throws -> Int64 {
        try row("SELECT count(*) FROM module") { try $0.int64(0) } ?? 0
    }

    /// Whether a module has a course, in any or in one of its chapters.
    func isInUse(_ module: ModuleID, chapter: ChapterID? = nil) throws -> Bool {
        guard let chapter else {
            return try exists("SELECT 1 FROM course WHERE module_id = \(module) LIMIT 1")
        }
        return try exists(
            """
            SELECT 1 FROM course WHERE module_id = \(module) AND chapter_id = \(chapter) LIMIT 1
            """)
    }

    func course(_ id: CourseID) throws -> Course? {
        try row("SELECT \(courseColumns) FROM course WHERE id = \(id)", Course.init(row:))
    }

    func course(named key: String) throws -> CourseID? {
        try row("SELECT id FROM course WHERE name_key = \(key)") { try $0.identifier(0) }
    }

    /// Courses by name, after a key; of one module or of all.
    func courses(of module: ModuleID?, after key: String, limit: Int) throws -> [Course] {
        guard let module else {
            return try rows(
                """
                SELECT \(courseColumns) FROM course WHERE name_key > \(key)
                ORDER BY name_key LIMIT \(limit)
                """, Course.init(row:))
        }
        return try rows(
            """
            SELECT \(courseColumns) FROM course WHERE module_id = \(module) AND name_key > \(key)
            ORDER BY name_key LIMIT \(limit)
            """, Course.init(row:))
    }

    func courseCount(of module: ModuleID? = nil) throws -> Int64 {
        guard let module else {
            return try row("SELECT count(*) FROM course") { try $0.int64(0) } ?? 0
        }
        return try row(
            "SELECT count(*) FROM course WHERE module_id = \(module)", { try $0.int64(0) }) ?? 0
    }
}

extension Transaction {
    func insert(_ module: Module) throws {
        try execute(
            """
            INSERT INTO module (id, name, name_key, created_at, updated_at, version)
            VALUES (\(module.id), \(module.name.text), \(module.name.key), \(module.createdAt),
                \(module.updatedAt), \(module.version))
            """)
        try putChapters(of: module)
    }

    /// Keeps a module's next state; of the chapters it had, those that are left out go.
    func update(_ module: Module, from before: Module) throws {
        try execute(
            """
            UPDATE module SET name = \(module.name.text), name_key = \(module.name.key),
                updated_at = \(module.updatedAt), version = \(module.version)
            WHERE id = \(module.id)
            """)
        guard module.chapters != before.chapters else { return }
        let kept = Set(module.chapters.map(\.id))
        for chapter in before.chapters where !kept.contains(chapter.id) {
            try execute(
                "DELETE FROM chapter WHERE module_id = \(module.id) AND id = \(chapter.id)")
        }
        // Chapters may take one another's titles: until all have theirs, each stands under one
        // that nobody can type.
        try execute(
            """
            UPDATE chapter SET title_key = \("\u{1}") || position WHERE module_id = \(module.id)
            """)
        try putChapters(of: module)
    }

    private func putChapters(of module: Module) throws {
        for (index, chapter) in module.chapters.enumerated() {
            try execute(
                """
                INSERT INTO chapter (module_id, id, position, title, title_key)
                VALUES (\(module.id), \(chapter.id), \(index + 1), \(chapter.title.text),
                    \(chapter.title.key))
                ON CONFLICT (module_id, id) DO UPDATE SET position = excluded.position,
                    title = excluded.title, title_key = excluded.title_key
                """)
        }
    }

    func delete(_ module: Module) throws {
        try execute("DELETE FROM chapter WHERE module_id = \(module.id)")
        try execute("DELETE FROM module WHERE id = \(module.id)")
    }

    func insert(_ course: Course) throws {
        try execute(
            """
            INSERT INTO course (id, name, name_key, module_id, chapter_id, created_at, updated_at,
                version)
            VALUES (\(course.id), \(course.name.text), \(course.name.key), \(course.module),
                \(course.chapter), \(course.createdAt), \(course.updatedAt), \(course.version))
            """)
    }

    func update(_ course: Course) throws {
        try execute(
            """
            UPDATE course SET name = \(course.name.text), name_key = \(course.name.key),
                module_id = \(course.module), chapter_id = \(course.chapter),
                updated_at = \(course.updatedAt), version = \(course.version)
            WHERE id = \(course.id)
            """)
    }

    func delete(_ course: Course) throws {
        try execute("DELETE FROM course WHERE id = \(course.id)")
    }
}

extension Module {
    /// The module without its chapters, which stand in rows of their own.
    fileprivate init(row: Row) throws {
        self.init(
            id: try row.identifier(0), name: Name(text: try row.text(1), key: try row.text(2)),
            chapters: [], createdAt: try row.time(3), updatedAt: try row.time(4),
            version: try row.int64(5))
    }
}

extension Course {
    fileprivate init(row: Row) throws {
        self.init(
            id: try row.identifier(0), name: Name(text: try row.text(1), key: try row.text(2)),
            module: try row.identifier(3), chapter: try row.identifierOrNil(4),
            createdAt: try row.time(5), updatedAt: try row.time(6), version: try row.int64(7))
    }
}
