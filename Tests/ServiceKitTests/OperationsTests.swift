import Access
import Crypto
import FoundationEssentials
import Messages
import RPC
import RPCTesting
import Storage
import Synchronization
import Testing

@testable import ServiceKit

@Suite(.timeLimit(.minutes(1))) struct OperationsTests {
    private let installation = Installation()
    private let database: Database
    private let router: Router

    init() throws {
        database = try installation.database("shelf", Shelf.migrations)
        let titles = Verifier(
            "titles", count: "SELECT count(*) FROM item",
            differences: "SELECT title FROM item WHERE title LIKE 'bad%' ORDER BY title"
        ) { "\(try $0.text(0)) is no title." }
        let operations = ServiceOperations(
            database, verifiers: [titles], logger: installation.log.logger)
        router = try installation.router("shelf", operations.registeredMethods)
    }

    private func options(_ grant: Access.Grant?) throws -> CallOptions {
        var options = CallOptions()
        guard let grant else { return options }
        let person: UserID = IdentifierSource(milliseconds: { 1 }).next()
        options.metadata[bytes: MetadataKey.principal] =
            try installation.signer("gateway").user(person, grants: [grant], audience: "shelf")
        return options
    }

    private func put(_ titles: [String]) async throws {
        try await database.write { transaction in
            for title in titles {
                try transaction.execute(
                    "INSERT INTO item (id, title) VALUES (\(Array(title.utf8)), \(title))")
            }
        }
    }

    @Test func `a backup is the file of the database, and its digest`() async throws {
        // More than one piece, and a piece that is not full.
        try await put((1...3_000).map { "title number \($0) with some words to fill the pages" })
        let received = Mutex<([UInt8], BackupSummary?)>(([], nil))
        try await OperationsClient(InProcessChannel(router)).backup(
            BackupRequest(), options: options(Grant(.platformOwner))
        ) { reply in
            received.withLock { received in
                switch reply.content {
                case .data(let bytes): received.0 += bytes
                case .summary(let summary): received.1 = summary
                case nil: break
                }
            }
        }
        let (bytes, found) = received.withLock { $0 }
        let summary = try #require(found)
        #expect(summary.byteCount == Int64(bytes.count) && bytes.count > 200_000)
        #expect(summary.sha256 == Array(SHA256.hash(data: bytes)))
        #expect(summary.incarnation == database.incarnation)

        let file = "\(installation.folder.path)/carried-away"
        try Data(bytes).write(to: URL(filePath: file))
        _ = try await DatabaseRestore(
            of: file, to: "\(installation.folder.path)/other.db", component: "shelf"
        ).putInPlace()
        let other = try installation.database("other", Shelf.migrations)
        let count = try other.readInline {
            try $0.row("SELECT count(*) FROM item") { try $0.int(0) }
        }
        #expect(count == 3_000)
        other.close()
    }

    @Test func `a verification tells of each thing, differences and all`() async throws {
        try await put(["good", "bad one", "bad two"])
        let received = Mutex<[Verification]>([])
        try await OperationsClient(InProcessChannel(router)).verify(
            VerifyRequest(), options: options(Grant(.platformOwner))
        ) { reply in received.withLock { $0.append(reply) } }
        let found = received.withLock { $0 }
        #expect(found.map(\.name) == ["file", "references", "workflows", "titles"])
        #expect(found.map(\.differenceCount) == [0, 0, 0, 2])
        #expect(found.last?.checked == 3)
        #expect(found.last?.differences == ["bad one is no title.", "bad two is no title."])
        let logged = installation.log.lines.filter { $0.contains("verification found differences") }
        #expect(logged.count == 1)
    }

    @Test func `only those who own the platform may, wherever they are`() async throws {
        for (grant, code) in [
            (nil, Status.Code.unauthenticated), (Grant(.member), .permissionDenied),
            (Grant(.globalAdmin), .permissionDenied),
        ] {
            let options = try options(grant)
            let client = OperationsClient(
                InProcessChannel(router, peer: Peer("here", isLocal: true)))
            let backup = await status {
                try await client.backup(BackupRequest(), options: options) { _ in }
            }
            let verify = await status {
                try await client.verify(VerifyRequest(), options: options) { _ in }
            }
            #expect(backup?.code == code)
            #expect(verify?.code == code)
        }
    }

    @Test func `a second backup beside the first is asked to come later`() async throws {
        try await put(["one"])
        let options = try options(Grant(.platformOwner))
        try await database.withCopy { _ in
            let second = await status {
                try await OperationsClient(InProcessChannel(router)).backup(
                    BackupRequest(), options: options
                ) { _ in }
            }
            #expect(second?.code == .resourceExhausted)
            #expect(second?.message == "A copy of this database is already being made.")
        }
    }
}
