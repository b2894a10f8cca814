// swift-tools-version: 6.2
import PackageDescription

// As in the project's own Package.swift: what is fuzzed is compiled as it ships.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")

/// A part of the project, by a link in `Project`: a package of its own would hide its C modules.
func project(
    _ name: String, _ dependencies: [Target.Dependency], sources: [String]? = nil,
    swift: Bool = true
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Project/\(name)", sources: sources,
        swiftSettings: swift ? strict : nil)
}

/// A program that libFuzzer drives: `run` gives the flags.
func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: ["FuzzKit", "RPC"] + dependencies, swiftSettings: strict)
}

let package = Package(
    name: "fuzz",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", .upToNextMinor(from: "2.101.2"))
    ],
    targets: [
        .systemLibrary(name: "CProtobufC", path: "Project/CProtobufC", pkgConfig: "libprotobuf-c"),
        project("CMessages", ["CProtobufC"], swift: false),
        project("RPC", []),
        project("Messages", ["CMessages", "CProtobufC", "RPC"]),
        .systemLibrary(name: "CZlib", path: "Project/CZlib", pkgConfig: "zlib"),
        // Only what reads bytes: the rest would build all of SwiftNIO.
        project(
            "RPCTransport", ["CZlib", "RPC", nioCore],
            sources: ["FrameAssembler.swift", "Zlib.swift"]),
        project("CTesting", ["CMessages", "CProtobufC"], swift: false),
        project("TestMessages", ["CMessages", "CProtobufC", "CTesting", "Messages", "RPC"]),
        .systemLibrary(name: "CZip", path: "Project/CZip", pkgConfig: "libzip"),
        .systemLibrary(name: "CExpat", path: "Project/CExpat", pkgConfig: "expat"),
        // Only what reads bytes, and what writes them for it to read.
        project(
            "Spreadsheets", ["CExpat", "CZip"],
            sources: [
                "Cell.swift", "CellReference.swift", "Coding.swift", "FormulaGuard.swift",
                "NumberFormat.swift", "RowCoding.swift", "SharedTexts.swift", "SheetReader.swift",
                "SpreadsheetContents.swift", "SpreadsheetFault.swift", "SpreadsheetLimits.swift",
                "SpreadsheetSheet.swift", "Styles.swift", "TextReader.swift", "TextWriter.swift",
                "Workbook.swift", "WorkbookText.swift", "XMLElement.swift", "XMLReader.swift",
                "ZipArchive.swift",
            ]),

        .target(name: "CFuzzKit"),
        .target(name: "FuzzKit", dependencies: ["CFuzzKit", "RPC"], swiftSettings: strict),
        fuzzer("FuzzFrames", ["RPCTransport", nioCore]),
        fuzzer("FuzzMessages", ["Messages", "TestMessages"]),
        fuzzer("FuzzMetadata", []),
        fuzzer("FuzzStatus", []),
        fuzzer("FuzzSpreadsheets", ["Spreadsheets"]),
    ]
)
