import DynamicMessages
import Encodings
import Foundation
import Subprocess
import SystemPackage
import Testing

/// What the tests of this folder share.
enum Fixtures {
    /// The most that a script prints.
    static let outputBytesMax = 64 << 20

    static let folder = URL(filePath: #filePath).deletingLastPathComponent()

    /// The file of descriptors of `Protos/kinds.proto`.
    static let kindsFile = folder.appending(path: "Fixtures/kinds.pb")

    static func kinds() throws -> Schema {
        try Schema(set: Array(Data(contentsOf: kindsFile)))
    }

    /// The schema of `Protos/kinds.proto` and its message with one of each field.
    static func kindsMessage() throws -> (Schema, MessageType) {
        let schema = try kinds()
        return (schema, try #require(schema.messages["guildhall.kinds.v1.Kinds"]))
    }

    /// Runs the script that knows the messages by protobuf's own Python.
    static func python(_ arguments: [String], input: String = "") async throws -> String {
        let python = try #require(
            ProcessInfo.processInfo.environment["GUILDHALL_TEST_PYTHON"],
            "deploy/test prepares the Python that this test needs")
        let script = folder.appending(path: "Python/random_messages.py").path
        let result = try await Subprocess.run(
            .path(FilePath(python)), arguments: Arguments([script] + arguments),
            input: .string(input), output: .string(limit: outputBytesMax),
            error: .string(limit: outputBytesMax))
        try #require(result.terminationStatus == .exited(0), "\(result.standardError)")
        return result.standardOutput
    }
}

extension JSONValue {
    /// Whether both mean the same: the order of members and the spelling of numbers aside.
    func isSame(as other: JSONValue) -> Bool {
        switch (self, other) {
        case (.number(let left), .number(let right)):
            left == right || Float(left) == Float(right)
        case (.array(let left), .array(let right)):
            left.count == right.count && zip(left, right).allSatisfy { $0.isSame(as: $1) }
        case (.object(let left), .object(let right)):
            left.count == right.count
                && left.allSatisfy { member in
                    other[member.name]?.isSame(as: member.value) == true
                }
        default: self == other
        }
    }
}
