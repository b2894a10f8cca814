import Foundation
import Testing

/// The layout shows the architecture: each room holds what its door says.
@Suite struct LayoutTests {
    private let tree = SourceTree.here

    @Test func `the top level holds only what is planned`() {
        let planned: Set<String> = [
            "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Package.swift", "Package.resolved",
            "Protos", "README.md", "Services", "Sources", "Tests", "data", "deploy",
        ]

        #expect(tree.names(in: "").subtracting(planned).isEmpty)
    }

    @Test(arguments: ["Organizations", "Membership", "Partners", "Branding"])
    func `every service has the same files`(service: String) {
        let expected: Set<String> = [
            "Configuration.swift", "Migrations", "README.md", "Refusal.swift", "Rules.swift",
            "Service.swift", "Store.swift", "main.swift",
        ]

        #expect(expected.subtracting(tree.names(in: "Services/\(service)")).isEmpty)
    }

    @Test func `a service never imports a service`() {
        let services: Set<String> = [
            "Organizations", "Membership", "Partners", "Branding", "Gateway",
        ]
        let files = tree.files(below: "Services")

        for file in files {
            #expect(services.isDisjoint(with: file.imports), "\(file.path)")
        }
        #expect(files.count > services.count * 6)
    }

    /// For each module of ours, the modules of ours that it may import.
    static let arrows: [(module: String, mayImport: Set<String>)] = [
        ("RPC", []),
        ("Access", ["Encodings"]),
        ("Encodings", []),
        ("Storage", ["CSQLite"]),
        ("Messages", ["CMessages", "CProtobufC", "RPC"]),
        ("RPCTransport", ["CZlib", "RPC"]),
        ("RPCTelemetry", ["RPC"]),
        ("RPCServices", ["Messages", "RPC", "RPCTransport"]),
        ("RPCTesting", ["RPC"]),
        (
            "Mail",
            ["Access", "CCURL", "Encodings", "Messages", "RPC", "ServiceKit", "Storage"]
        ),
        ("Webhooks", ["CCURL", "Encodings"]),
        ("TreeCopy", ["Access", "Messages", "RPC", "Storage"]),
        (
            "ServiceKit",
            [
                "Access", "Encodings", "Messages", "RPC", "RPCServices", "RPCTelemetry",
                "RPCTransport", "Storage",
            ]
        ),
        ("DynamicMessages", ["Encodings"]),
        ("EmailDomains", []),
        ("Spreadsheets", ["CExpat", "CXLSXWriter", "CZip"]),
        (
            "guildhall",
            [
                "Access", "DynamicMessages", "Encodings", "Messages", "RPC", "RPCTransport",
                "ServiceKit", "Storage",
            ]
        ),
    ]

    @Test(arguments: arrows)
    func `imports point downwards only`(module: String, mayImport: Set<String>) {
        let ours = tree.names(in: "Sources")
        let files = tree.files(below: "Sources/\(module)")

        for file in files {
            let upward = ours.intersection(file.imports).subtracting(mayImport)
            #expect(upward.isEmpty, "\(file.path)")
        }
        #expect(!files.isEmpty)
    }

    @Test(arguments: [
        (
            name: "NIOCore",
            doors: ["Sources/RPCTransport", "Sources/guildhall", "Services/Gateway"]
        ),
        (name: "NIOSSL", doors: ["Sources/RPCTransport"]),
        (name: "CSQLite", doors: ["Sources/Storage"]),
        (name: "CMessages", doors: ["Sources/Messages"]),
        (name: "CProtobufC", doors: ["Sources/Messages"]),
        (name: "CZlib", doors: ["Sources/RPCTransport/Zlib.swift"]),
        (
            name: "CCURL",
            doors: ["Sources/Mail/ServerDoor.swift", "Sources/Webhooks"]
        ),
        (name: "CArgon2", doors: ["Services/Membership"]),
        (name: "CResolver", doors: ["Services/Organizations/TextRecords.swift"]),
        (name: "CZip", doors: ["Sources/Spreadsheets/ZipArchive.swift"]),
        (name: "CExpat", doors: ["Sources/Spreadsheets/XMLReader.swift"]),
        (name: "CXLSXWriter", doors: ["Sources/Spreadsheets/WorkbookWriter.swift"]),
    ])
    func `a foreign module has its door`(name: String, doors: [String]) {
        let users = ["Sources", "Services"].flatMap { tree.files(below: $0) }
            .filter { $0.imports.contains(name) }

        for file in users {
            #expect(doors.contains { file.path.hasPrefix($0) }, "\(file.path)")
        }
        #expect(!users.isEmpty)
    }

    @Test func `rules import neither storage nor calls`() {
        let rules = tree.files(below: "Services").filter { file in
            let name = file.path.split(separator: "/").last ?? ""
            return name.hasPrefix("Rules")
        }

        for file in rules {
            #expect(Set(["Storage", "RPC"]).isDisjoint(with: file.imports), "\(file.path)")
        }
        #expect(rules.count >= 4)
    }

    @Test func `storage is told the time`() {
        let doors = ["DatabaseConfiguration", "WallTime"].map { "Sources/Storage/\($0).swift" }
        let files = tree.files(below: "Sources/Storage")

        for file in files where !doors.contains(file.path) {
            for (number, line) in file.lines.enumerated() {
                let asksItself = line.contains("clock_gettime") || line.contains("WallTime.current")
                #expect(!asksItself, "\(file.path):\(number + 1)")
            }
        }
        #expect(files.count > doors.count)
    }

    @Test func `services take the reasons of refusals from the table`() {
        for file in tree.files(below: "Services") {
            for (number, line) in file.lines.enumerated() {
                #expect(!line.contains("reason: \""), "\(file.path):\(number + 1)")
            }
        }
    }

    @Test func `statements stand in stores alone`() {
        let words = ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM"]
        let files = tree.files(below: "Services") + tree.files(below: "Sources/ServiceKit")

        for file in files where !(file.path.split(separator: "/").last ?? "").hasPrefix("Store") {
            for (number, line) in file.lines.enumerated() {
                let isComment = line.trimmingCharacters(in: .whitespaces).hasPrefix("//")
                let holdsSQL = words.contains { line.contains($0) }
                #expect(isComment || !holdsSQL, "\(file.path):\(number + 1)")
            }
        }
    }
}
