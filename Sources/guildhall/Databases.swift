import ArgumentParser
import Crypto
import Encodings
import Foundation
import RPC
import RPCTransport
import ServiceKit

extension Part {
    /// The parts that keep a database, in the order in which they are backed up.
    ///
    /// Who follows others, or has workflows with them, comes before them. So a part that is put
    /// back never knows more than those it depends on; what it does not know yet it reads again.
    static let withDatabase: [Part] = [.partners, .branding, .membership, .organizations]

    /// The name of its database, in a data folder and in a backup.
    var databaseName: String { "\(rawValue).db" }
}

/// Which databases of an installation a command is about.
struct DatabaseOptions: ParsableArguments {
    @Option(help: "The folder of the databases, keys and logs. (default: data)")
    var data: String?
    @Option(
        name: .customLong("service"), parsing: .singleValue,
        help: ArgumentHelp("One of them alone. Repeatable. (default: all four)", valueName: "name"))
    var services: [Part] = []

    func validate() throws {
        if let other = services.first(where: { !Part.withDatabase.contains($0) }) {
            throw ValidationError("\(other.rawValue) keeps no database.")
        }
    }

    var folder: URL {
        URL(filePath: data ?? ProcessInfo.processInfo.environment["GUILDHALL_DATA"] ?? "data")
    }

    var parts: [Part] {
        services.isEmpty ? Part.withDatabase : Part.withDatabase.filter(services.contains)
    }
}

extension Part: ExpressibleByArgument {
    /// Those that can be asked for where a part is an argument.
    static var allValueStrings: [String] { withDatabase.map(\.rawValue) }
}

/// Where the services of an installation answer.
struct RunningServices: ParsableArguments {
    @OptionGroup var databases: DatabaseOptions
    @Option(
        name: .customLong("address"), parsing: .singleValue,
        help: ArgumentHelp(
            "Where a service answers, such as organizations=127.0.0.1:7101. Repeatable. "
                + "(default: as guildhall start noted in the data folder)",
            valueName: "name=target"))
    var addresses: [ServiceAddress] = []
    @OptionGroup var protection: ProtectionOptions

    /// Calls each service in turn, signed by the installation's operator key.
    ///
    /// - Parameter body: Makes the calls.
    /// - Throws: What ends the command.
    func each(_ body: (Part, any RPC.Channel) async throws -> Void) async throws {
        let loops = RPCEventLoops(threadCount: 1)
        try await Failure.told {
            let statement = try OperatorStatement(data: databases.folder.path)
            for part in databases.parts {
                let target = try target(of: part)
                let client = try target.client(loops: loops, protection.security())
                do {
                    try await body(part, client.intercepted(by: statement))
                } catch let status as Status where status.isUnseen {
                    StandardError.line(
                        "\(part.rawValue) does not answer at \(target.target): is it running?")
                    throw status
                }
                await client.close()
            }
        }
        await loops.shutDown()
    }

    private func target(of part: Part) throws -> TargetArgument {
        if let given = addresses.last(where: { $0.part == part }) { return given.target }
        let kept = Installation.addresses(in: databases.folder)[part]
        guard let target = kept.flatMap(TargetArgument.init(argument:)) else {
            throw ValidationError(
                "Where \(part.rawValue) answers is not known: name it by --address "
                    + "\(part.rawValue)=HOST:PORT.")
        }
        return target
    }
}

/// A service and where it answers, written `name=target`.
struct ServiceAddress: ExpressibleByArgument, Sendable {
    let part: Part
    let target: TargetArgument

    init?(argument: String) {
        let sides = argument.split(separator: "=", maxSplits: 1).map(String.init)
        guard sides.count == 2, let part = Part(rawValue: sides[0]),
            let target = TargetArgument(argument: sides[1])
        else { return nil }
        self.part = part
        self.target = target
    }
}

/// The digests of the files in a folder, in the form of `sha256sum`.
struct DigestList {
    static let name = "SHA256SUMS"

    private(set) var digests: [String: String] = [:]

    init() {}

    /// Reads the list of a folder.
    init(of folder: URL) throws {
        let file = folder.appending(path: Self.name)
        guard let text = try? String(contentsOf: file, encoding: .utf8) else {
            throw ValidationError("\(folder.path) is no backup: it has no \(Self.name).")
        }
        for line in text.split(separator: "\n") {
            // Two spaces, or a space and a star, stand between.
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard parts.count == 2, parts[0].utf8.count == 64, let mark = parts[1].first else {
                throw ValidationError("\(file.path) is damaged at “\(line)”.")
            }
            let name = mark == " " || mark == "*" ? String(parts[1].dropFirst()) : parts[1]
            digests[name] = parts[0]
        }
    }

    mutating func add(_ digest: [UInt8], of name: String) {
        digests[name] = Hexadecimal.text(digest)
    }

    func write(to folder: URL) throws {
        let lines = digests.sorted { $0.key < $1.key }.map { "\($0.value)  \($0.key)\n" }
        let file = folder.appending(path: Self.name)
        try Data(lines.joined().utf8).write(to: file, options: .atomic)
        let handle = try FileHandle(forReadingFrom: file)
        try handle.synchronize()
        try handle.close()
    }

    /// Refuses a file that is not the one in the list.
    func check(_ name: String, in folder: URL) throws {
        let file = folder.appending(path: name)
        guard let expected = digests[name] else {
            throw ValidationError("\(folder.path) holds no backup of \(name).")
        }
        guard let handle = try? FileHandle(forReadingFrom: file) else {
            throw ValidationError("\(file.path) is not there, or not readable.")
        }
        var hash = SHA256()
        while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty {
            hash.update(data: piece)
        }
        guard Hexadecimal.text(hash.finalize()) == expected else {
            throw ValidationError("\(file.path) is damaged: its SHA-256 is another.")
        }
    }
}

extension Status {
    /// Whether nobody was there to be called.
    fileprivate var isUnseen: Bool {
        details.contains { detail in
            guard case .errorInfo(_, _, let metadata) = detail else { return false }
            return metadata["phase"] == "connect"
        }
    }
}
