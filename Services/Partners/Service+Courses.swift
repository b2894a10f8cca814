import Access
import Messages
import RPC
import ServiceKit
import Storage

// Courses: the other half of the catalog.

extension Service {
    func createCourse(
        _ request: CreateCourseRequest, _ context: CallContext
    ) async throws -> Messages.Course {
        try Caller(context.principal).expectStaff()
        let order = try CourseOrder(request)
        let id: CourseID = identifiers.next()
        let (now, coursesMax) = (context.now, limits.coursesMax)
        return try await database.command(context, request) { transaction in
            guard try transaction.courseCount() < coursesMax else {
                throw Refusal.catalog(.full("courses", coursesMax))
            }
            let course = Course(
                id: id, name: order.name, module: order.module, chapter: order.chapter,
                createdAt: now, updatedAt: now, version: 1)
            try transaction.expectAcceptable(course, fieldsBelow: "")
            try transaction.insert(course)
            return try transaction.publish(course)
        }
    }

    func getCourse(
        _ request: GetCourseRequest, _ context: CallContext
    ) async throws -> Messages.Course {
        _ = try context.principal
        let id = try CourseID(requestText: request.id, field: "id")
        guard let course = try database.readInline({ try $0.course(id) }) else {
            throw Denial.noSuch(.course)
        }
        return Messages.Course(course)
    }

    func listCourses(
        _ request: ListCoursesRequest, _ context: CallContext
    ) async throws -> ListCoursesReply {
        _ = try context.principal
        let module = try ModuleID.optional(requestText: request.moduleID, field: "module_id")
        let page = try pages.page(
            context, size: request.pageSize, token: request.pageToken,
            arguments: ListCoursesRequest(moduleID: request.moduleID))
        let (found, total) = try await database.read { snapshot in
            (
                try snapshot.courses(of: module, after: page.nameKey, limit: page.limit),
                try snapshot.courseCount(of: module)
            )
        }
        let (courses, token) = page.cut(found) { [$0.name.key] }
        return ListCoursesReply(
            courses: courses.map { Messages.Course($0) }, nextPageToken: token, totalSize: total)
    }

    func updateCourse(
        _ request: UpdateCourseRequest, _ context: CallContext
    ) async throws -> Messages.Course {
        try Caller(context.principal).expectStaff()
        let asked = request.course ?? Messages.Course()
        let id = try CourseID(requestText: asked.id, field: "course.id")
        let change = try CourseChange(request, isImplied: context.isMaskImplied)
        let now = context.now
        return try await database.command(context, request) { transaction in
            let course = try transaction.existingCourse(id)
            try context.requireMatch(version: course.version, etag: asked.etag)
            let next = course.changed(by: change, at: now)
            guard next != course else { return Messages.Course(course) }
            try transaction.expectAcceptable(next, fieldsBelow: "course.")
            try transaction.update(next)
            return try transaction.publish(next)
        }
    }

    func deleteCourse(
        _ request: DeleteCourseRequest, _ context: CallContext
    ) async throws -> DeleteCourseReply {
        try Caller(context.principal).expectStaff()
        let id = try CourseID(requestText: request.id, field: "id")
        let now = context.now
        return try await database.command(context, request) { transaction in
            let course = try transaction.existingCourse(id)
            try context.requireMatch(version: course.version)
            try transaction.delete(course)
            try transaction.publish(course.succeeding(at: now), isRemoved: true)
            return DeleteCourseReply()
        }
    }
}

extension Reading {
    fileprivate func existingCourse(_ id: CourseID) throws -> Course {
        guard let course = try course(id) else { throw Refusal.noSuch(.course) }
        return course
    }

    /// Refuses a course in a module or chapter that is not there, and a name that another has.
    fileprivate func expectAcceptable(_ course: Course, fieldsBelow prefix: String) throws {
        guard let module = try module(course.module) else {
            throw Refusal.invalid([
                FieldFault(field: "\(prefix)module_id", sentence: "There is no such module.")
            ])
        }
        if let chapter = course.chapter, try !hasChapter(chapter, in: module.id) {
            throw Refusal.invalid([
                FieldFault(
                    field: "\(prefix)chapter_id", sentence: "The module has no such chapter.")
            ])
        }
        if let other = try self.course(named: course.name.key), other != course.id {
            throw Refusal.nameTaken(.course)
        }
    }
}

extension Transaction {
    /// Puts a course's state into the feed.
    ///
    /// - Returns: The course as callers see it.
    @discardableResult
    fileprivate func publish(_ course: Course, isRemoved: Bool = false) throws -> Messages.Course {
        let message = Messages.Course(course, isRemoved: isRemoved)
        try publish(
            kind: Messages.Course.messageName, aggregate: course.id.bytes,
            version: course.version, body: message.encoded(), at: course.updatedAt)
        return message
    }
}
