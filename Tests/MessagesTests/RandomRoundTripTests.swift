import Foundation
import Messages
import RPC
import Testing

/// Random messages of every field type go back and forth between Python's protobuf and ours.
///
/// Another seed than that of the day is set by `GUILDHALL_TEST_SEED`.
@Suite(.serialized) struct RandomRoundTripTests {
    /// How many messages go each way.
    private static let count = 100_000

    /// The types that random_messages.py makes, in its order.
    private static let types: [any RandomlyMade.Type] = [
        Everything.self, Presences.self, Lists.self, Maps.self, WellKnown.self,
    ]

    private let seed: UInt64
    private let python: Python

    init() throws {
        seed =
            ProcessInfo.processInfo.environment["GUILDHALL_TEST_SEED"].flatMap(UInt64.init)
            ?? UInt64.random(in: 0...0xffff_ffff)
        python = try Python()
    }

    @Test func `messages that Python made come back to it as they were`() throws {
        try python.inFolder { folder in
            let (original, answer) = (folder.appending(path: "a"), folder.appending(path: "b"))
            Output.line("GUILDHALL_TEST_SEED=\(seed): messages that Python made")
            _ = try python.run([
                "make", "--seed", "\(seed)", "--count", "\(Self.count)", "--output", original.path,
            ])

            var records = Records()
            var reader = Records.Reader(try Foundation.Data(contentsOf: original))
            while let (type, bytes) = reader.next() {
                records.append(type, try Self.reencoded(bytes, as: Self.types[type]))
            }
            try records.write(to: answer)

            let printed = try python.run([
                "compare", "--original", original.path, "--answer", answer.path,
            ])
            #expect(printed == "compared \(Self.count)\n", "seed \(seed)")
        }
    }

    @Test func `messages that Swift made come back from Python as they were`() throws {
        try python.inFolder { folder in
            let (ours, theirs) = (folder.appending(path: "a"), folder.appending(path: "b"))
            Output.line("GUILDHALL_TEST_SEED=\(seed): messages that Swift made")
            var maker = RandomMaker(seed: seed)
            var records = Records()
            for _ in 0..<Self.count {
                let (type, value) = Self.random(&maker)
                records.append(type, value.encoded())
            }
            try records.write(to: ours)

            let printed = try python.run([
                "reencode", "--input", ours.path, "--output", theirs.path,
            ])
            #expect(printed == "encoded \(Self.count)\n", "seed \(seed)")
            var reader = Records.Reader(try Foundation.Data(contentsOf: theirs))
            // The same values once more.
            maker = RandomMaker(seed: seed)
            var compared = 0
            while let (type, bytes) = reader.next() {
                let (expected, value) = Self.random(&maker)
                let isSame = try Self.isSame(value, bytes, isComparable: !maker.makesNaN)
                try #require(
                    type == expected && isSame, "seed \(seed), message \(compared): \(value)")
                compared += 1
            }
            #expect(compared == Self.count)
        }
    }

    private static func reencoded<Value: Message>(
        _ bytes: [UInt8], as type: Value.Type
    ) throws -> [UInt8] {
        try Value(decoding: bytes, limits: .bulk).encoded()
    }

    /// A message and the position of its type.
    private static func random(_ maker: inout RandomMaker) -> (type: Int, value: any RandomlyMade) {
        let type = maker.index(below: types.count)
        let percent = [2, 10, 10, 30][maker.index(below: 4)]
        maker.makesNaN = maker.chance(20)
        return (type, types[type].random(&maker, percent))
    }

    /// Whether bytes are a value: by its encoding, and by its fields where those can be compared.
    private static func isSame<Value: Message>(
        _ value: Value, _ bytes: [UInt8], isComparable: Bool
    ) throws -> Bool {
        let decoded = try Value(decoding: bytes, limits: .bulk)
        return decoded.encoded() == value.encoded() && (!isComparable || decoded == value)
    }
}

/// Encoded messages with their types, as random_messages.py reads and writes them.
struct Records {
    private var content = Foundation.Data()

    mutating func append(_ type: Int, _ bytes: [UInt8]) {
        content.append(UInt8(type))
        for shift in [24, 16, 8, 0] {
            content.append(UInt8(truncatingIfNeeded: bytes.count >> shift))
        }
        content.append(contentsOf: bytes)
    }

    func write(to file: URL) throws {
        try content.write(to: file)
    }

    /// Takes one record after the other.
    struct Reader {
        private let content: [UInt8]
        private var at = 0

        init(_ content: Foundation.Data) {
            self.content = [UInt8](content)
        }

        mutating func next() -> (type: Int, bytes: [UInt8])? {
            guard at + 5 <= content.count else { return nil }
            let type = Int(content[at])
            let count = content[(at + 1)..<(at + 5)].reduce(0) { $0 << 8 | Int($1) }
            at += 5
            defer { at += count }
            return (type, Array(content[at..<(at + count)]))
        }
    }
}

/// Runs random_messages.py.
struct Python {
    private let interpreter: String

    init() throws {
        interpreter = try #require(
            ProcessInfo.processInfo.environment["GUILDHALL_TEST_PYTHON"],
            "deploy/test prepares the Python that this test needs")
    }

    /// Runs a closure with a folder that is removed afterwards.
    func inFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    /// What the script prints; an issue when it fails.
    func run(_ arguments: [String]) throws -> String {
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Fixtures/random_messages.py")
        let (process, output) = (Process(), Pipe())
        process.executableURL = URL(filePath: interpreter)
        process.arguments = [script.path] + arguments
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let printed = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(printed.prefix(4_000))")
        return printed
    }
}

/// Standard output, for what whoever repeats a run must know.
enum Output {
    static func line(_ text: String) {
        FileHandle.standardOutput.write(Foundation.Data("\(text)\n".utf8))
    }
}
