import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// Files up and down: their turns, and readers that do not read.
struct FileTests {
    private static let bo = UserID(millisecondsSince1970: 2, random: (7, 7))
    private static let stranger = UserID(millisecondsSince1970: 3, random: (7, 7))
    private static let export = "/v1/organizations:export"
    /// More than the buffers of both ends of a connection hold.
    private static let fileBytes = 24 * 1_024 * 1_024

    private let asked: Counter
    /// Files that the service has written.
    private let written: Counter
    /// Ada is signed in many times, and Bo.
    private let authenticate: RegisteredMethod
    private let bosBearer = ["Authorization": "Bearer token-of-bo"]

    init() {
        let (asked, written) = (Counter(), Counter())
        (self.asked, self.written) = (asked, written)
        exportFile = Self.exporting(counting: written)
        authenticate = serve(MembershipMethods.authenticate) {
            (request: AuthenticateRequest, _) in
            asked.add()
            let isAda = request.token.hasPrefix(Stage.token)
            let isStranger = request.token.hasPrefix("token-of-nobody")
            return AuthenticateReply(
                userID: isAda ? Stage.ada.text : isStranger ? Self.stranger.text : Self.bo.text,
                grants: [Messages.Grant(role: isStranger ? .teacher : .platformOwner)])
        }
    }

    /// A header with a token of Ada that was not used before: her session is asked for once more.
    private static func freshBearer(_ number: Int) -> [String: String] {
        ["Authorization": "Bearer \(Stage.token)-\(number)"]
    }

    /// Says who may import, as Organizations does: whoever owns the platform, at a parent or not.
    private let checkImport = serve(ImportsMethods.checkImport) {
        (request: CheckImportRequest, context) -> CheckImportReply in
        let grants = try context.principal.grants
        guard request.parent != "closed", grants.contains(where: { $0.role == .platformOwner })
        else { throw Status.forbidden() }
        return CheckImportReply()
    }

    /// Takes a file as Organizations does, and says how many bytes it has.
    private let planImport = RegisteredMethod(
        ImportsMethods.planImport,
        .clientStreaming { requests, context in
            var count = 0
            while let request = try await requests.next() {
                count += try PlanImportRequest(decoding: request.bytes, limits: .bulk)
                    .content.count
            }
            guard count > 0 else { throw Status.invalid("content", "There is no file.") }
            return .message(Import(id: "i", state: .planning, rowCount: Int64(count)))
        })

    /// Answers a large file.
    private let exportFile: RegisteredMethod

    /// Answers a large file, which ends once the gate is open, if there is one.
    private static func exporting(
        counting written: Counter, until gate: Task<Void, Never>? = nil
    ) -> RegisteredMethod {
        RegisteredMethod(
            ImportsMethods.exportOrganizations,
            .serverStreaming { _, _, replies in
                let part = [UInt8](repeating: UInt8(ascii: "x"), count: 48 * 1_024)
                for number in 0..<(Self.fileBytes / part.count) {
                    let name = number == 0 ? "organizations.csv" : ""
                    let type = number == 0 ? "text/csv; charset=utf-8" : ""
                    try await replies.write(
                        .message(FilePart(name: name, contentType: type, data: part)))
                }
                written.add()
                if let gate { await gate.value }
            })
    }

    private static func head(
        _ verb: String, _ path: String, _ fields: [String: String], bodyBytes: Int? = nil
    ) -> [UInt8] {
        var head = "\(verb) \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        for (name, value) in fields { head += "\(name): \(value)\r\n" }
        if let bodyBytes { head += "Content-Length: \(bodyBytes)\r\n" }
        return Array((head + "\r\n").utf8)
    }

    /// Asks until the answer has a status.
    private static func wait(
        for status: Int, _ ask: () async throws -> HTTPClient.Answer
    ) async throws -> HTTPClient.Answer? {
        for _ in 0..<400 {
            let answer = try await ask()
            if answer.status == status { return answer }
            try await Task.sleep(for: .milliseconds(25))
        }
        return nil
    }

    @Test(arguments: ["multipart/form-data; boundary=x", "Multipart/Mixed"])
    func `a form where a file is expected is refused, and says how a file is sent`(
        type: String
    ) async throws {
        try await Stage.run([authenticate, checkImport, planImport]) { stage in
            let form = try await stage.http.send(
                "POST", "/v1/imports", bearer.with("Content-Type", type), body: "--x")
            let logo = try await stage.http.send(
                "PUT", "/v1/organizations/7/images/logo", bearer.with("Content-Type", type),
                body: "--x")
            let plain = try await stage.http.send(
                "POST", "/v1/imports", bearer.with("Content-Type", "text/csv"), body: "Title")

            #expect(form.status == 415 && logo.status == 415)
            #expect(try form.text("code") == "unsupported_media_type")
            let message = try #require(try form.text("message"))
            #expect(message.contains("--data-binary") && message.contains("Content-Type: text/csv"))
            #expect(plain.status == 202)
            #expect(try plain.text("rowCount") == "5")
        }
    }

    @Test func `of the four uploads at a time one person has two at most`() async throws {
        try await Stage.run([authenticate, checkImport, planImport]) { stage in
            try await withThrowingTaskGroup(of: Void.self) { group in
                let (held, release) = AsyncStream.makeStream(of: Void.self)
                let waiting = Task { for await _ in held {} }
                for number in 0..<2 {
                    group.addTask {
                        // A body that does not come holds its turn.
                        let head = Self.head(
                            "POST", "/v1/imports", Self.freshBearer(number), bodyBytes: 9)
                        _ = try await stage.http.exchange(head) { await waiting.value }
                    }
                }
                while asked.value < 2 { try await Task.sleep(for: .milliseconds(5)) }
                let third = try await Self.wait(for: 429) {
                    try await stage.http.send("POST", "/v1/imports", bearer, body: "Title")
                }
                let bos = try await stage.http.send(
                    "POST", "/v1/imports", bosBearer, body: "Title")
                release.finish()
                group.cancelAll()

                #expect(try third?.text("code") == "busy")
                #expect(try third?.text("message")?.contains("At most 2") == true)
                #expect(third?.fields["retry-after"] == "2")
                #expect(bos.status == 202)
            }
        }
    }

    @Test func `who may not import has no turn, whether the file comes or not`() async throws {
        var limits = Limits()
        limits.bodyTimeout = .seconds(20)
        let bodyTimeout = limits.bodyTimeout
        try await Stage.run([authenticate, checkImport, planImport], limits: limits) { stage in
            let begun = ContinuousClock.now
            let refused = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<FileTurns.Purpose.upload.turnsMax {
                    group.addTask {
                        // As many as there are turns, and no body comes.
                        let fields = ["Authorization": "Bearer token-of-nobody-\(number)"]
                        let head = Self.head("POST", "/v1/imports", fields, bodyBytes: 9)
                        let answer = try await stage.http.exchange(head)
                        if answer.starts(with: "HTTP/1.1 403".utf8) { refused.add() }
                    }
                }
                try await group.waitForAll()
            }
            let bos = try await stage.http.send("POST", "/v1/imports", bosBearer, body: "Title")

            #expect(refused.value == FileTurns.Purpose.upload.turnsMax)
            #expect(ContinuousClock.now - begun < bodyTimeout)
            #expect(bos.status == 202)
        }
    }

    @Test func `the question whether a file may come is about the place where it would go`()
        async throws
    {
        try await Stage.run([authenticate, checkImport, planImport]) { stage in
            let closed = try await stage.http.send(
                "POST", "/v1/imports?parent=closed", bosBearer, body: "Title")
            let open = try await stage.http.send(
                "POST", "/v1/imports?parent=open", bosBearer, body: "Title")

            #expect(closed.status == 403)
            #expect(open.status == 202)
        }
    }

    @Test func `an upload without a file is refused for that alone`() async throws {
        try await Stage.run([authenticate, checkImport, planImport]) { stage in
            let empty = try await stage.http.send("POST", "/v1/imports", bosBearer, body: "")

            #expect(empty.status == 422)
            #expect(empty.text.contains(#""at":"content","message":"There is no file.""#))
        }
    }

    @Test func `a file that nobody reads keeps its turn, and the connection is cut off`()
        async throws
    {
        var limits = Limits()
        limits.unreadTimeout = .seconds(3)
        try await Stage.run([authenticate, exportFile], limits: limits) { stage in
            let (held, release) = AsyncStream.makeStream(of: Void.self)
            let waiting = Task { for await _ in held {} }
            try await withThrowingTaskGroup(of: Int.self) { group in
                let readers = FileTurns.Purpose.download.turnsOfOneMax
                for _ in 0..<readers {
                    group.addTask {
                        let head = Self.head("GET", Self.export, bearer)
                        return try await stage.http.exchange(
                            head, meanwhile: { await waiting.value }, bufferBytes: 65_536
                        ).count
                    }
                }
                // The files are all there, and only their readers are still to take them.
                while written.value < readers { try await Task.sleep(for: .milliseconds(5)) }
                try await Task.sleep(for: .milliseconds(300))
                let fifth = try await stage.http.send("GET", Self.export, bearer)
                let bos = try await stage.http.send("GET", Self.export, bosBearer)
                // Once those who read nothing are cut off, there is a turn again.
                let sixth = try await Self.wait(for: 200) {
                    try await stage.http.send("GET", Self.export, bearer)
                }
                release.finish()

                #expect(fifth.status == 429)
                #expect(try fifth.text("message")?.contains("At most 4") == true)
                #expect(bos.status == 200 && bos.body.count == Self.fileBytes)
                #expect(sixth?.body.count == Self.fileBytes)
                for try await count in group { #expect(count < Self.fileBytes) }
            }
        }
    }

    @Test func `readers that take too little are cut off, and their turns are free`()
        async throws
    {
        var limits = Self.quickLimits
        limits.lingerTimeout = .milliseconds(50)
        let readers = FileTurns.Purpose.download.turnsOfOneMax
        let (held, release) = AsyncStream.makeStream(of: Void.self)
        let gate = Task { for await _ in held {} }
        let exportFile = Self.exporting(counting: written, until: gate)
        try await Stage.run([authenticate, exportFile], limits: limits) { stage in
            try await withThrowingTaskGroup(of: Int.self) { group in
                // Whatever fails: the readers are waited for, and they for their files.
                defer { release.finish() }
                for _ in 0..<readers {
                    group.addTask {
                        // 160 KiB a second, where 1 MiB is expected: never nothing for long.
                        try await stage.http.exchange(
                            Self.head("GET", Self.export, bearer), pause: .milliseconds(200),
                            pauseBytes: 32 * 1_024, bufferBytes: 65_536
                        ).count
                    }
                }
                // Nobody can be too slow yet: no file has ended, and so none is being answered.
                while written.value < readers { try await Task.sleep(for: .milliseconds(5)) }
                let fifth = try await stage.http.send("GET", Self.export, bearer)
                release.finish()
                let begun = ContinuousClock.now
                let sixth = try await Self.wait(for: 200) {
                    try await stage.http.send("GET", Self.export, bearer)
                }
                let waited = ContinuousClock.now - begun

                #expect(fifth.status == 429)
                #expect(sixth?.body.count == Self.fileBytes)
                // All of it at that pace takes more than two minutes.
                #expect(waited < .seconds(30))
                for try await count in group { #expect(count < Self.fileBytes / 2) }
            }
        }
    }

    /// The limits of readers, with a hundredth of the patience.
    private static var quickLimits: Limits {
        var limits = Limits()
        limits.readBytesPerSecondMin = 1_024 * 1_024
        limits.readingGrace = .seconds(1)
        limits.readingWindow = .seconds(2)
        return limits
    }

    @Test func `a reader that is slow and goes on gets all of it`() async throws {
        var limits = Self.quickLimits
        limits.unreadTimeout = .milliseconds(1_500)
        limits.lingerTimeout = .milliseconds(50)
        let unreadTimeout = limits.unreadTimeout
        try await Stage.run([authenticate, exportFile], limits: limits) { stage in
            let begun = ContinuousClock.now
            let received = try await stage.http.exchange(
                Self.head("GET", Self.export, bearer), pause: .milliseconds(80),
                bufferBytes: 256 * 1_024)

            #expect(received.count > Self.fileBytes)
            #expect(ContinuousClock.now - begun > unreadTimeout * 2)
        }
    }

    @Test func `files on their way do not refuse one another`() throws {
        let turns = FileTurns()
        let (half, whole) = (32 * 1_024 * 1_024, 64 * 1_024 * 1_024)
        let files = try (1...UInt64(5)).map { try turns.begin(.download, for: .numbered($0)) }

        for file in files.dropLast() { try file.makeRoom(for: half, upTo: whole) }
        // The fifth learns it when it outgrows its own room, not when the others have come far.
        #expect(throws: Never.self) { try files[4].makeRoom(for: 1_024 * 1_024, upTo: whole) }
        #expect(throws: Problem.tooManyFiles) {
            try files[4].makeRoom(for: 1_024 * 1_024 + 1, upTo: whole)
        }
        for file in files.dropLast() {
            #expect(throws: Never.self) { try file.makeRoom(for: whole, upTo: whole) }
        }
    }

    @Test func `a file that is whole keeps the room that it has, and no more`() throws {
        let turns = FileTurns()
        let whole = 64 * 1_024 * 1_024
        var large = try (1...UInt64(4)).map { number in
            let turn = try turns.begin(.download, for: .numbered(number))
            try turn.makeRoom(for: whole, upTo: whole)
            return turn
        }
        let fifth = try turns.begin(.download, for: .numbered(5))

        large[0].settle(at: whole)
        #expect(throws: Problem.tooManyFiles) { try fifth.makeRoom(for: whole, upTo: whole) }
        large[0].settle(at: 1_024 * 1_024)
        try fifth.makeRoom(for: whole, upTo: whole)
        let sixth = try turns.begin(.download, for: .numbered(6))
        #expect(throws: Problem.tooManyFiles) { try sixth.makeRoom(for: whole, upTo: whole) }
        large.removeLast()
        #expect(throws: Never.self) { try sixth.makeRoom(for: whole, upTo: whole) }
    }

    @Test(arguments: FileTurns.Purpose.allCases)
    func `turns have a number, and end with their files`(purpose: FileTurns.Purpose) throws {
        let turns = FileTurns()
        func begin(_ number: Int) throws -> FileTurn {
            try turns.begin(purpose, for: .numbered(UInt64(number)))
        }
        var held = try (0..<purpose.turnsMax).map { number in
            try begin(number / purpose.turnsOfOneMax)
        }

        #expect(throws: Problem.tooManyFilesOfOne(purpose.turnsOfOneMax)) { try begin(0) }
        #expect(throws: Problem.tooManyFiles) { try begin(99) }
        held.removeFirst()
        #expect(throws: Never.self) { try begin(0) }
    }
}

extension Access.Principal.Subject? {
    fileprivate static func numbered(_ number: UInt64) -> Self {
        .some(.user(UserID(high: 1, low: number)))
    }
}
