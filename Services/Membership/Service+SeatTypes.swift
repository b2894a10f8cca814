import Access
import Messages
import RPC
import ServiceKit
import Storage
import TreeCopy

/// The calls of `guildhall.membership.v1.SeatTypes`.
struct SeatTypeDesk: SeatTypesService {
    let service: Service

    func createSeatType(
        _ request: CreateSeatTypeRequest, _ context: CallContext
    ) async throws -> SeatType {
        try service.requireSettings(context)
        let details = try TypeDetails.made(
            of: TypeInput(
                name: request.name, licenses: request.licenseTypeIDs, courses: request.courseIDs))
        let id: SeatTypeID = service.identifiers.next()
        let now = context.now
        return try await service.database.command(context, request) { transaction in
            guard try transaction.seatTypeCount() < TypeDetails.typesMax else {
                throw Refusal.tooMany("seat types", Int(TypeDetails.typesMax))
            }
            try transaction.requireLicenses(details.licenses, field: "license_type_ids")
            let type = SeatTypeRecord(
                id: id, details: details, isDefault: false, created: now, updated: now, version: 1)
            try transaction.add(type)
            return SeatType(type)
        }
    }

    func getSeatType(
        _ request: GetSeatTypeRequest, _ context: CallContext
    ) async throws -> SeatType {
        _ = try context.principal
        let id = try SeatTypeID(requestText: request.id, field: "id")
        return try service.database.readInline { snapshot in
            guard let type = try snapshot.seatType(id) else { throw Refusal.noSuchSeatType }
            return SeatType(type)
        }
    }

    func listSeatTypes(
        _ request: ListSeatTypesRequest, _ context: CallContext
    ) async throws -> ListSeatTypesReply {
        _ = try context.principal
        let page = try service.pageTokens.page(
            context, size: request.pageSize, token: request.pageToken,
            arguments: ListSeatTypesRequest())
        let key = try Parse.nameKey(after: page)
        return try await service.database.read { snapshot in
            let found = try snapshot.seatTypes(after: key, limit: page.limit)
            let (types, next) = try page.cut(
                found, complete: { try snapshot.withLicenses($0) }, details: { $0.details })
            return ListSeatTypesReply(
                seatTypes: types.map { SeatType($0) }, nextPageToken: next,
                totalSize: try snapshot.seatTypeCount())
        }
    }

    func updateSeatType(
        _ request: UpdateSeatTypeRequest, _ context: CallContext
    ) async throws -> SeatType {
        try service.requireSettings(context)
        let asked = request.seatType ?? SeatType()
        let id = try SeatTypeID(requestText: asked.id, field: "seat_type.id")
        let change = try TypeChange(
            request.updateMask?.paths ?? [], of: TypeField.allCases,
            to: TypeInput(
                name: asked.name, licenses: asked.licenseTypeIDs, courses: asked.courseIDs,
                prefix: "seat_type."), context)
        let now = context.now
        return try await service.database.command(context, request) { transaction in
            guard let type = try transaction.seatType(id) else { throw Refusal.noSuchSeatType }
            try context.requireMatch(version: type.version, etag: asked.etag)
            let details = try change.applied(to: type.details)
            guard details != type.details else { return SeatType(type) }
            try transaction.requireLicenses(
                details.licenses, field: "seat_type.license_type_ids")
            let next = type.becoming(details, at: now)
            try transaction.put(next)
            return SeatType(next)
        }
    }

    func deleteSeatType(
        _ request: DeleteSeatTypeRequest, _ context: CallContext
    ) async throws -> DeleteSeatTypeReply {
        try service.requireSettings(context)
        let id = try SeatTypeID(requestText: request.id, field: "id")
        try await service.catchUp(for: request, context)
        return try await service.database.command(context, request) { transaction in
            guard let type = try transaction.seatType(id) else { throw Refusal.noSuchSeatType }
            try context.requireMatch(version: type.version)
            guard !type.isDefault else { throw Refusal.seatTypeIsDefault }
            guard try !TreeCopy.isBeingFilled(in: transaction) else { throw Denial.treeBehind }
            let isNamed = try TreeCopy.hasType(in: transaction) { $0.defaultSeatTypeID == id.text }
            guard !isNamed else { throw Refusal.seatTypeInUse }
            try transaction.remove(id)
            return DeleteSeatTypeReply()
        }
    }
}

/// The calls of `guildhall.membership.v1.LicenseTypes`.
struct LicenseTypeDesk: LicenseTypesService {
    let service: Service

    func createLicenseType(
        _ request: CreateLicenseTypeRequest, _ context: CallContext
    ) async throws -> LicenseType {
        try service.requireSettings(context)
        let details = try TypeDetails.made(
            of: TypeInput(name: request.name, courses: request.courseIDs))
        let id: LicenseTypeID = service.identifiers.next()
        let now = context.now
        return try await service.database.command(context, request) { transaction in
            guard try transaction.licenseTypeCount() < TypeDetails.typesMax else {
                throw Refusal.tooMany("license types", Int(TypeDetails.typesMax))
            }
            let type = LicenseTypeRecord(
                id: id, details: details, created: now, updated: now, version: 1)
            try transaction.add(type)
            return LicenseType(type)
        }
    }

    func getLicenseType(
        _ request: GetLicenseTypeRequest, _ context: CallContext
    ) async throws -> LicenseType {
        _ = try context.principal
        let id = try LicenseTypeID(requestText: request.id, field: "id")
        return try service.database.readInline { snapshot in
            guard let type = try snapshot.licenseType(id) else { throw Refusal.noSuchLicenseType }
            return LicenseType(type)
        }
    }

    func listLicenseTypes(
        _ request: ListLicenseTypesRequest, _ context: CallContext
    ) async throws -> ListLicenseTypesReply {
        _ = try context.principal
        let page = try service.pageTokens.page(
            context, size: request.pageSize, token: request.pageToken,
            arguments: ListLicenseTypesRequest())
        let key = try Parse.nameKey(after: page)
        return try await service.database.read { snapshot in
            let found = try snapshot.licenseTypes(after: key, limit: page.limit)
            let (types, next) = page.cut(found, complete: { $0 }, details: { $0.details })
            return ListLicenseTypesReply(
                licenseTypes: types.map { LicenseType($0) }, nextPageToken: next,
                totalSize: try snapshot.licenseTypeCount())
        }
    }

    func updateLicenseType(
        _ request: UpdateLicenseTypeRequest, _ context: CallContext
    ) async throws -> LicenseType {
        try service.requireSettings(context)
        let asked = request.licenseType ?? LicenseType()
        let id = try LicenseTypeID(requestText: asked.id, field: "license_type.id")
        let change = try TypeChange(
            request.updateMask?.paths ?? [], of: TypeField.ofLicenseTypes,
            to: TypeInput(name: asked.name, courses: asked.courseIDs, prefix: "license_type."),
            context)
        let now = context.now
        return try await service.database.command(context, request) { transaction in
            guard let type = try transaction.licenseType(id) else {
                throw Refusal.noSuchLicenseType
            }
            try context.requireMatch(version: type.version, etag: asked.etag)
            let details = try change.applied(to: type.details)
            guard details != type.details else { return LicenseType(type) }
            let next = type.becoming(details, at: now)
            try transaction.put(next)
            return LicenseType(next)
        }
    }

    func deleteLicenseType(
        _ request: DeleteLicenseTypeRequest, _ context: CallContext
    ) async throws -> DeleteLicenseTypeReply {
        try service.requireSettings(context)
        let id = try LicenseTypeID(requestText: request.id, field: "id")
        try await service.catchUp(for: request, context)
        return try await service.database.command(context, request) { transaction in
            guard let type = try transaction.licenseType(id) else {
                throw Refusal.noSuchLicenseType
            }
            try context.requireMatch(version: type.version)
            guard try !TreeCopy.isBeingFilled(in: transaction) else { throw Denial.treeBehind }
            let isGivenByType = try TreeCopy.hasType(in: transaction) { type in
                BenefitRole.allCases.contains { role in
                    type.seatBenefits?[role]?.licenseTypes.contains(id.text) ?? false
                }
            }
            guard try !isGivenByType && !transaction.isGivenBySeatType(id) else {
                throw Refusal.licenseTypeInUse
            }
            try transaction.remove(id)
            return DeleteLicenseTypeReply()
        }
    }
}

/// A change of a seat type or license type: checked before it is known whether the type is there.
private struct TypeChange: Sendable {
    private static let faultsMax = 50

    private let fields: Set<TypeField>
    private let input: TypeInput

    /// - Throws: `INVALID_ARGUMENT` with every field that is wrong.
    init(
        _ paths: [String], of fields: [TypeField], to input: TypeInput, _ context: CallContext
    ) throws(Status) {
        var faults: [FieldFault] = []
        self.fields = TypeField.named(
            paths, of: fields, in: input, isImplied: context.isMaskImplied, &faults)
        self.input = input
        _ = TypeDetails.blank.changed(self.fields, to: input, &faults)
        // A mask may be wrong many times: of more the first are named.
        guard faults.isEmpty else { throw .invalid(Array(faults.prefix(Self.faultsMax))) }
    }

    func applied(to details: TypeDetails) throws(Status) -> TypeDetails {
        var faults: [FieldFault] = []
        let next = details.changed(fields, to: input, &faults)
        guard faults.isEmpty else { throw .invalid(faults) }
        return next
    }
}

extension TypeDetails {
    /// The details of a new type.
    ///
    /// - Throws: `INVALID_ARGUMENT` with every field that is wrong.
    fileprivate static func made(of input: TypeInput) throws(Status) -> TypeDetails {
        var faults: [FieldFault] = []
        let details = blank.changed(Set(TypeField.allCases), to: input, &faults)
        guard faults.isEmpty else { throw .invalid(faults) }
        return details
    }
}

extension Service {
    /// Refuses whoever does not run the whole platform.
    fileprivate func requireSettings(_ context: CallContext) throws {
        try check(context.principal.decide(.changePlatformSettings, at: []))
    }

    /// Makes sure that what organization types name is what Organizations has said by now; a call
    /// that came before is answered without.
    fileprivate func catchUp(for request: some Message, _ context: CallContext) async throws {
        guard try !database.isRepeated(context, request) else { return }
        try await tree.catchUp()
    }
}

extension Reading {
    /// Refuses licenses that there are not.
    fileprivate func requireLicenses(_ ids: [LicenseTypeID], field: String) throws {
        let known = Set(try licenseTypes(ids).map(\.id))
        guard let unknown = ids.first(where: { !known.contains($0) }) else { return }
        throw Denial.invalid(field: field, "There is no license type \(unknown.text).")
    }
}

extension Parse {
    /// Where a page of types begins: after this key of a name.
    fileprivate static func nameKey(after page: Page) throws -> String {
        guard let after = page.after else { return "" }
        guard case .text(let key) = after.first, after.count == 1 else {
            throw Status.pageTokenInvalid
        }
        return key
    }
}

extension Page {
    /// The most identifiers on a page of types: a reply has its bounds.
    private static var identifiersMax: Int { 10_000 }

    /// Cuts types to the page, which ends before it is full when the types hold very much.
    fileprivate func cut<Kind>(
        _ rows: [Kind], complete: (Kind) throws -> Kind, details: (Kind) -> TypeDetails
    ) rethrows -> (types: [Kind], nextToken: String) {
        var types: [Kind] = []
        var count = 0
        for row in rows.prefix(size) {
            let type = try complete(row)
            count += details(type).licenses.count + details(type).courses.count
            if !types.isEmpty, count > Self.identifiersMax { break }
            types.append(type)
        }
        guard let last = types.last, types.count < rows.count else { return (types, "") }
        return (types, token(after: [details(last).name.key]))
    }
}
