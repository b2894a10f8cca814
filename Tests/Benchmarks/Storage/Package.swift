// swift-tools-version: 6.2
import PackageDescription

// As in the project's own Package.swift: ours is measured as it is built.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let storage = Target.Dependency.product(name: "Storage", package: "guildhall")

// A package of its own, so that neither gRPC nor SwiftNIO is built for what needs neither.
let package = Package(
    name: "storage-benchmarks",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "guildhall", path: "../../.."),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    ],
    targets: [
        .target(
            name: "BenchmarkKit",
            dependencies: [.product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: strict),
        .target(name: "CDataSet"),
        .target(name: "StorageFixture", dependencies: ["CDataSet"], swiftSettings: strict),
        .executableTarget(
            name: "GRDBCommands",
            dependencies: [
                "BenchmarkKit", "StorageFixture", .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "StorageBenchmark", dependencies: ["BenchmarkKit", "StorageFixture", storage],
            swiftSettings: strict),
    ]
)
