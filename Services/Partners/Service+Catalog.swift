import Access
import Messages
import RPC
import ServiceKit
import Storage

extension Service: CatalogService {
    func createModule(
        _ request: CreateModuleRequest, _ context: CallContext
    ) async throws -> Messages.Module {
        try Caller(context.principal).expectStaff()
        let order = try ModuleOrder(request)
        let (id, chapters): (ModuleID, [ChapterID]) = (identifiers.next(), fresh(order.chapters))
        let (now, modulesMax) = (context.now, limits.modulesMax)
        return try await database.command(context, request) { transaction in
            guard try transaction.moduleCount() < modulesMax else {
                throw Refusal.catalog(.full("modules", modulesMax))
            }
            try transaction.expectFree(order.name, forModule: id)
            let module = Module(
                id: id, name: order.name,
                chapters: try [Chapter]().replaced(by: order.chapters, fresh: chapters),
                createdAt: now,
                updatedAt: now, version: 1)
            try transaction.insert(module)
            return try transaction.publish(module)
        }
    }

    func getModule(
        _ request: GetModuleRequest, _ context: CallContext
    ) async throws -> Messages.Module {
        _ = try context.principal
        let id = try ModuleID(requestText: request.id, field: "id")
        guard let module = try database.readInline({ try $0.module(id) }) else {
            throw Denial.noSuch(.module)
        }
        return Messages.Module(module)
    }

    func listModules(
        _ request: ListModulesRequest, _ context: CallContext
    ) async throws -> ListModulesReply {
        _ = try context.principal
        let page = try pages.page(
            context, size: request.pageSize, token: request.pageToken,
            arguments: ListModulesRequest())
        let bytesMax = limits.pageBytesMax
        return try await database.read { snapshot in
            let found = try snapshot.bareModules(after: page.nameKey, limit: page.limit)
            let (bare, next) = page.cut(found) { [$0.name.key] }
            var reply = ListModulesReply(
                nextPageToken: next, totalSize: try snapshot.moduleCount())
            var bytes = 0
            for (index, var module) in bare.enumerated() {
                module.chapters = try snapshot.chapters(of: module.id)
                bytes += module.bytesInReply
                if index > 0, bytes > bytesMax {
                    reply.nextPageToken = page.token(after: [bare[index - 1].name.key])
                    break
                }
                reply.modules.append(Messages.Module(module))
            }
            return reply
        }
    }

    func updateModule(
        _ request: UpdateModuleRequest, _ context: CallContext
    ) async throws -> Messages.Module {
        try Caller(context.principal).expectStaff()
        let asked = request.module ?? Messages.Module()
        let id = try ModuleID(requestText: asked.id, field: "module.id")
        let change = try ModuleChange(request, isImplied: context.isMaskImplied)
        let chapters = fresh(change.chapters ?? [])
        let now = context.now
        return try await database.command(context, request) { transaction in
            let module = try transaction.existingModule(id)
            try context.requireMatch(version: module.version, etag: asked.etag)
            let next = try module.changed(by: change, fresh: chapters, at: now)
            guard next != module else { return Messages.Module(module) }
            try transaction.expectFree(next.name, forModule: id)
            let kept = Set(next.chapters.map(\.id))
            for gone in module.chapters where !kept.contains(gone.id) {
                guard try !transaction.isInUse(id, chapter: gone.id) else {
                    throw Refusal.catalog(.chapterInUse(gone))
                }
            }
            try transaction.update(next, from: module)
            return try transaction.publish(next)
        }
    }

    func deleteModule(
        _ request: DeleteModuleRequest, _ context: CallContext
    ) async throws -> DeleteModuleReply {
        try Caller(context.principal).expectStaff()
        let id = try ModuleID(requestText: request.id, field: "id")
        let now = context.now
        return try await database.command(context, request) { transaction in
            let module = try transaction.existingModule(id)
            try context.requireMatch(version: module.version)
            guard try !transaction.isInUse(id) else { throw Refusal.catalog(.moduleInUse) }
            try transaction.delete(module)
            try transaction.publish(module.succeeding(at: now), isRemoved: true)
            return DeleteModuleReply()
        }
    }

    /// Identifiers for chapters, should they be new.
    private func fresh(_ orders: [ChapterOrder]) -> [ChapterID] {
        orders.map { _ in identifiers.next() }
    }
}

extension Reading {
    fileprivate func existingModule(_ id: ModuleID) throws -> Module {
        guard let module = try module(id) else { throw Refusal.noSuch(.module) }
        return module
    }

    /// Refuses a name that another module has.
    fileprivate func expectFree(_ name: Name, forModule id: ModuleID) throws {
        if let other = try module(named: name.key), other != id {
            throw Refusal.nameTaken(.module)
        }
    }
}

extension Transaction {
    /// Puts a module's state into the feed.
    ///
    /// - Returns: The module as callers see it.
    @discardableResult
    fileprivate func publish(_ module: Module, isRemoved: Bool = false) throws -> Messages.Module {
        let message = Messages.Module(module, isRemoved: isRemoved)
        try publish(
            kind: Messages.Module.messageName, aggregate: module.id.bytes,
            version: module.version, body: message.encoded(), at: module.updatedAt)
        return message
    }
}
