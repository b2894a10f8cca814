import Foundation
import Synchronization
import Testing

@testable import Organizations

/// What domains say of themselves, asked of a name server.
struct TextRecordTests {
    @Test func `the texts at a name are found, long ones whole`() async throws {
        let long = String(repeating: "ä", count: 300)
        let names = Mutex<[[UInt8]]>([])
        let server = try LocalNameServer { question, _ in
            names.withLock { $0.append(Array(question.dropFirst(12).prefix(13))) }
            return NameAnswer(
                question: question,
                records: [
                    NameAnswer.text("v=spf1 -all"), NameAnswer.text(""),
                    // An alias, as name servers put it before what it leads to.
                    NameAnswer.record(5, content: NameAnswer.sameName),
                    NameAnswer.text(long),
                ]
            ).bytes
        }

        let texts = try await server.texts(at: "_a.company.com")

        #expect(texts == ["v=spf1 -all", "", long])
        #expect(
            names.withLock { $0 } == [
                [2] + Array("_a".utf8) + [7] + Array("company".utf8) + [3]
                    + Array("c".utf8)
            ])
    }

    @Test func `a name that is not there says nothing`() async throws {
        let server = try LocalNameServer { question, _ in
            NameAnswer(question: question, outcome: .noSuchName).bytes
        }

        #expect(try await server.texts(at: "nowhere.example") == [])
    }

    @Test func `a name without texts says nothing`() async throws {
        let server = try LocalNameServer { question, _ in NameAnswer(question: question).bytes }

        #expect(try await server.texts(at: "silent.example") == [])
    }

    @Test func `an answer that is cut off is asked for again over TCP`() async throws {
        let all = (0..<60).map { "text \($0)" }
        let server = try LocalNameServer { question, isByTCP in
            NameAnswer(
                question: question, isCutOff: !isByTCP,
                records: isByTCP ? all.map(NameAnswer.text) : []
            ).bytes
        }

        #expect(try await server.texts(at: "long.example") == all)
    }

    @Test(arguments: [NameAnswer.Outcome.serverFailed, .refused])
    func `a name server that fails is no answer`(outcome: NameAnswer.Outcome) async throws {
        let server = try LocalNameServer { question, _ in
            NameAnswer(question: question, outcome: outcome).bytes
        }

        await #expect(throws: TextRecordFault.noAnswer) {
            try await server.texts(at: "failing.example")
        }
    }

    @Test func `silence is no answer, nor is what answers another question`() async throws {
        let silent = try LocalNameServer { _, _ in nil }
        let foreign = try LocalNameServer { question, _ in
            var answer = NameAnswer(
                question: question, records: [NameAnswer.text("guildhall-verification=00")]
            ).bytes
            answer[0] ^= 0xFF
            return answer
        }

        await #expect(throws: TextRecordFault.noAnswer) {
            try await silent.texts(at: "silent.example")
        }
        await #expect(throws: TextRecordFault.noAnswer) {
            try await foreign.texts(at: "foreign.example")
        }
    }

    @Test func `a name that is too long is no name`() async throws {
        let server = try LocalNameServer { _, _ in nil }
        let long = Array(repeating: String(repeating: "a", count: 60), count: 5)
            .joined(separator: ".")

        await #expect(throws: TextRecordFault.self) {
            try await server.texts(at: long)
        }
    }

    @Test func `names that point in circles are refused`() {
        let question = NameAnswer.question("a")
        let start = UInt8(question.count)
        for circle: [UInt8] in [[0xC0, start], [0xC0, start + 2, 0xC0, start], [0xC0, 0xFF]] {
            let answer = NameAnswer(
                question: question, records: [NameAnswer.record(content: [0], name: circle)])

            #expect(SystemTextRecords.texts(in: answer.bytes) == nil)
        }
    }

    @Test func `pieces that end behind their record are refused`() {
        let answer = NameAnswer(
            question: NameAnswer.question("a"), records: [NameAnswer.record(content: [9, 65, 66])])

        #expect(SystemTextRecords.texts(in: answer.bytes) == nil)
    }

    @Test func `an answer may end anywhere, and hold anything`() {
        let whole = NameAnswer(
            question: NameAnswer.question("a"),
            records: [NameAnswer.text("one"), NameAnswer.text("two")]
        ).bytes

        for count in 0..<whole.count {
            #expect(SystemTextRecords.texts(in: Array(whole.prefix(count))) == nil)
            for byte: UInt8 in [0x00, 0x3F, 0xC0, 0xFF] {
                var damaged = whole
                damaged[count] = byte
                let texts = SystemTextRecords.texts(in: damaged)
                #expect((texts?.count ?? 0) <= 2)
            }
        }
        #expect(SystemTextRecords.texts(in: whole) == ["one", "two"])
    }

    @Test func `only so many ask at once`() async throws {
        let refused = DispatchSemaphore(value: 0)
        let expected = 40 - SystemTextRecords.waitingMax
        let server = try LocalNameServer { question, _ in
            // Nobody is answered before all others were refused.
            for _ in 0..<expected { refused.wait() }
            for _ in 0..<expected { refused.signal() }
            return NameAnswer(question: question, outcome: .noSuchName).bytes
        }
        let records = try server.records(secondsMax: 20)

        let outcomes = await outcomes(of: 40) { number in
            do {
                _ = try await records.texts(at: "a\(number).example")
            } catch TextRecordFault.busy {
                refused.signal()
                throw TextRecordFault.busy
            }
        }

        #expect(outcomes.filter { $0 == nil }.count == SystemTextRecords.waitingMax)
        #expect(outcomes.filter { $0 == "busy" }.count == expected)
        withExtendedLifetime(server) {}
    }

    @Test(arguments: [
        ("127.0.0.1", 53), ("10.0.0.53:5353", 5_353), ("8.8.8.8:1", 1),
    ])
    func `a name server is named by its address`(text: String, port: UInt16) {
        #expect(NameServer(text)?.port == port)
    }

    @Test(arguments: ["", "localhost", "1.2.3", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:70000", "::1"])
    func `what is no address is refused`(text: String) {
        #expect(NameServer(text) == nil)
    }
}

extension LocalNameServer {
    /// What asks this name server.
    func records(secondsMax: Int32 = 1) throws -> SystemTextRecords {
        let address = try #require(NameServer("127.0.0.1:\(port)"))
        return SystemTextRecords(server: address, secondsMax: secondsMax, attemptsMax: 1)
    }

    /// What this name server says of a name.
    func texts(at name: String) async throws -> [String] {
        try await records().texts(at: name)
    }
}
