import Access
import ServiceKit
import Storage

// What there is to learn: modules with their chapters, and courses.

/// Limits of the catalog.
struct CatalogLimits: Sendable, Hashable {
    static let chaptersMax = 200

    var modulesMax: Int64 = 10_000
    var coursesMax: Int64 = 50_000
    /// A page of modules ends before it has more bytes than this, unless it is one module: so
    /// much stays within what a message may hold.
    var pageBytesMax = 900 * 1_024
}

/// A part of a module.
struct Chapter: Sendable, Hashable {
    let id: ChapterID
    let title: Name
}

/// A part of the platform that organizations are given as a whole, or by chapters.
struct Module: Sendable, Hashable {
    let id: ModuleID
    private(set) var name: Name
    /// In the order in which they are shown.
    var chapters: [Chapter]
    let createdAt: WallTime
    private(set) var updatedAt: WallTime
    private(set) var version: Int64
}

/// Something to learn.
struct Course: Sendable, Hashable {
    let id: CourseID
    private(set) var name: Name
    private(set) var module: ModuleID
    /// None: the module as a whole.
    private(set) var chapter: ChapterID?
    let createdAt: WallTime
    private(set) var updatedAt: WallTime
    private(set) var version: Int64
}

/// A field of a module that people may change.
enum ModuleField: String, ChangeableField {
    case name
    case chapters

    static let answered: Set<String> = [
        "id", "created_at", "updated_at", "version", "etag", "removed",
    ]
}

/// A field of a course that people may change.
enum CourseField: String, ChangeableField {
    case name
    case module = "module_id"
    case chapter = "chapter_id"

    static let answered = ModuleField.answered
}

/// A chapter as it is asked for.
struct ChapterOrder: Sendable, Hashable {
    /// The chapter that stays; nil for a new one.
    let id: ChapterID?
    let title: Name
    /// Where it stands in the request, with a dot at the end.
    let place: String
}

/// What is to become of a module.
struct ModuleChange: Sendable, Hashable {
    var name: Name?
    var chapters: [ChapterOrder]?
}

/// What is to become of a course.
struct CourseChange: Sendable, Hashable {
    var name: Name?
    var module: ModuleID?
    /// Nil: it stays; a nil within: the module as a whole.
    var chapter: ChapterID??
}

extension [Chapter] {
    /// The chapters that are asked for, in their order.
    ///
    /// - Parameters:
    ///   - orders: Those with an identifier stay, the others are new, what is left out goes.
    ///   - fresh: Identifiers for new ones, one for each order.
    /// - Returns: The chapters.
    /// - Throws: ``Refusal/invalid(_:)`` with every identifier that is of no chapter here.
    func replaced(
        by orders: [ChapterOrder], fresh: [ChapterID]
    ) throws(Refusal) -> [Chapter] {
        let known = Set(map(\.id))
        let faults = orders.filter { $0.id.map { !known.contains($0) } ?? false }.map { order in
            FieldFault(
                field: "\(order.place)id", sentence: "The module has no chapter of this identifier."
            )
        }
        guard faults.isEmpty else { throw .invalid(faults) }
        return zip(orders, fresh).map { order, fresh in
            Chapter(id: order.id ?? fresh, title: order.title)
        }
    }
}

extension Module {
    /// What it takes in a reply, at most: beside its texts an identifier of 36 characters with
    /// lengths for each chapter, and as much again with times and versions for the module.
    var bytesInReply: Int {
        chapters.reduce(128 + name.text.utf8.count) { $0 + 48 + $1.title.text.utf8.count }
    }

    /// The module with a change, as its next version; the same when nothing differs.
    func changed(
        by change: ModuleChange, fresh: [ChapterID], at now: WallTime
    ) throws(Refusal) -> Module {
        var next = self
        if let name = change.name { next.name = name }
        if let orders = change.chapters {
            next.chapters = try chapters.replaced(by: orders, fresh: fresh)
        }
        return next == self ? self : next.succeeding(at: now)
    }

    /// The module as its next version.
    func succeeding(at now: WallTime) -> Module {
        var next = self
        next.updatedAt = max(now, updatedAt)
        next.version += 1
        return next
    }
}

extension Course {
    /// The course with a change, as its next version; the same when nothing differs.
    func changed(by change: CourseChange, at now: WallTime) -> Course {
        var next = self
        if let name = change.name { next.name = name }
        if let module = change.module { next.module = module }
        if let chapter = change.chapter { next.chapter = chapter }
        return next == self ? self : next.succeeding(at: now)
    }

    /// The course as its next version.
    func succeeding(at now: WallTime) -> Course {
        var next = self
        next.updatedAt = max(now, updatedAt)
        next.version += 1
        return next
    }
}
