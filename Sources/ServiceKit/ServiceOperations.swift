internal import Access
internal import Crypto
internal import Logging
public import Messages
public import RPC
internal import Storage

/// What operators do to the database of a service while it runs: copy it, and prove its counters.
///
/// Only callers with the principal of a platform's owner may: a copy holds everything.
public struct ServiceOperations: OperationsService {
    /// The full name of the service.
    public static let serviceName = OperationsMethods.backup.service

    /// The bytes of one piece of a copy: it fits a frame with room to spare.
    private static let pieceBytes = 48 * 1_024
    /// How often one piece is asked for while the threads that read are busy.
    private static let triesMax = 100

    private let database: Database
    private let verifiers: [Verifier]
    private let logger: Logger

    /// Operations on a database.
    init(_ database: Database, verifiers: [Verifier], logger: Logger) {
        self.database = database
        self.verifiers = verifiers
        self.logger = logger
    }

    /// Sends a copy of the database as it is now.
    public func backup(
        _ request: BackupRequest, _ context: CallContext, _ replies: ReplyStream<BackupReply>
    ) async throws {
        try context.requirePlatformOwner()
        let operatorName = try context.principal.scope
        try await database.withCopy { copy in
            let summary = try await send(copy, replies)
            logger.notice(
                "database copied for a backup",
                metadata: ["bytes": "\(summary.byteCount)", "by": "\(operatorName)"])
        }
    }

    /// Recomputes what can be recomputed, and tells of each thing what differs.
    public func verify(
        _ request: VerifyRequest, _ context: CallContext, _ replies: ReplyStream<Verification>
    ) async throws {
        try context.requirePlatformOwner()
        let (findings, continuation) = AsyncStream.makeStream(of: Findings.self)
        let (database, verifiers) = (database, verifiers)
        async let work: Void = {
            defer { continuation.finish() }
            try await database.verify(verifiers) { continuation.yield($0) }
        }()
        for await finding in findings {
            if finding.differenceCount > 0 {
                logger.error(
                    "verification found differences",
                    metadata: [
                        "what": "\(finding.name)", "count": "\(finding.differenceCount)",
                        "first": "\(finding.differences.first ?? "")",
                    ])
            }
            try await replies.write(Verification(finding))
        }
        try await work
    }

    private func piece(of copy: DatabaseCopy, at offset: Int64) async throws -> [UInt8] {
        for _ in 1..<Self.triesMax {
            do {
                return try await copy.bytes(at: offset, count: Self.pieceBytes)
            } catch StorageFault.busy(let pause) {
                try await Task.sleep(for: pause)
            }
        }
        return try await copy.bytes(at: offset, count: Self.pieceBytes)
    }

    private func send(
        _ copy: DatabaseCopy, _ replies: ReplyStream<BackupReply>
    ) async throws -> BackupSummary {
        var hash = SHA256()
        var offset: Int64 = 0
        while true {
            let piece = try await piece(of: copy, at: offset)
            guard !piece.isEmpty else { break }
            hash.update(data: piece)
            offset += Int64(piece.count)
            try await replies.write(BackupReply(content: .data(piece)))
        }
        let summary = BackupSummary(
            byteCount: offset, sha256: Array(hash.finalize()), incarnation: database.incarnation)
        try await replies.write(BackupReply(content: .summary(summary)))
        return summary
    }
}

extension Verification {
    fileprivate init(_ findings: Findings) {
        self.init(
            name: findings.name, checked: findings.checkedCount,
            differenceCount: findings.differenceCount, differences: findings.differences,
            putOff: findings.reasonPutOff ?? "")
    }
}

extension Status {
    /// The status of a copy that is not made.
    init(_ fault: CopyFault) {
        switch fault {
        case .underWay, .noSpace: self = .refusal(.busy, fault.description)
        case .damaged: self = Status(.dataLoss, fault.description)
        }
    }
}
