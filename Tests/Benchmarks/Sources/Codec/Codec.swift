import BenchmarkKit
import Messages
import RPC
import SwiftProtobuf

/// `Codec ORGANIZATION-FILE LIST-FILE ROUNDS`: prints a line of JSON for each operation and round.
///
/// Both libraries go from an array of bytes to a value and back; their turns alternate.
@main
enum Codec {
    /// One operation of one library.
    struct Operation {
        let name: String
        let library: String
        /// Does it so many times.
        let repeated: (Int) throws -> Void
    }

    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let rounds = Int(arguments[3]) else { throw Misuse() }
        let organization = try Fixture.bytes(at: arguments[1])
        let list = try Fixture.bytes(at: arguments[2])
        let operations =
            try guildhall("organization", organization, Organization.self)
            + swiftProtobuf(
                "organization", organization, Guildhall_Organizations_V1_Organization.self)
            + guildhall("list of 50", list, ListOrganizationsReply.self)
            + swiftProtobuf(
                "list of 50", list, Guildhall_Organizations_V1_ListOrganizationsReply.self)
        let counts = try operations.map { try calibrated($0) }
        for round in 1...rounds {
            for (operation, count) in zip(operations, counts) {
                let elapsed = try time(operation, count)
                let nanoseconds = elapsed / .nanoseconds(1) / Double(count)
                Output.line(
                    "{\"part\": \"codec\", \"scene\": \"\(operation.name)\", "
                        + "\"subject\": \"\(operation.library)\", \"round\": \(round), "
                        + "\"nanoseconds\": \(nanoseconds)}")
            }
        }
    }

    /// Warms an operation up; answers how often it is done in about a fifth of a second.
    private static func calibrated(_ operation: Operation) throws -> Int {
        var count = 100
        while try time(operation, count) < .milliseconds(100) { count *= 2 }
        return 2 * count
    }

    private static func time(_ operation: Operation, _ count: Int) throws -> Duration {
        try ContinuousClock().measure { try operation.repeated(count) }
    }

    private static func guildhall<Value: RPC.Message>(
        _ name: String, _ bytes: [UInt8], _ type: Value.Type
    ) throws -> [Operation] {
        let value = try Value(decoding: bytes, limits: .bulk)
        return [
            Operation(name: "encode \(name)", library: "guildhall") { count in
                for _ in 0..<count { blackHole(value.encoded()) }
            },
            Operation(name: "decode \(name)", library: "guildhall") { count in
                for _ in 0..<count { blackHole(try Value(decoding: bytes, limits: .bulk)) }
            },
        ]
    }

    private static func swiftProtobuf<Value: SwiftProtobuf.Message>(
        _ name: String, _ bytes: [UInt8], _ type: Value.Type
    ) throws -> [Operation] {
        let value = try Value(serializedBytes: bytes)
        return [
            Operation(name: "encode \(name)", library: "swift-protobuf") { count in
                for _ in 0..<count { blackHole(try value.serializedBytes() as [UInt8]) }
            },
            Operation(name: "decode \(name)", library: "swift-protobuf") { count in
                for _ in 0..<count { blackHole(try Value(serializedBytes: bytes)) }
            },
        ]
    }

    /// The arguments are not those of the usage above.
    struct Misuse: Error {}
}
