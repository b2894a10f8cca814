// swift-tools-version: 6.2
import PackageDescription

// Every target of ours is compiled alike: a difference would hide a defect in one of them.
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

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")
let lifecycle = Target.Dependency.product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")

/// A service: an executable target under `Services` with its migrations built in.
func service(_ name: String, also dependencies: [Target.Dependency] = []) -> Target {
    .executableTarget(
        name: name,
        dependencies: [
            "Access", "Encodings", "Messages", "RPC", "ServiceKit", "Storage", log,
        ] + dependencies,
        path: "Services/\(name)",
        exclude: ["README.md"],
        resources: [.embedInCode("Migrations")],
        swiftSettings: strict
    )
}

/// The tests of a service: its rules, its store on a real database, its calls in one process.
func serviceTests(_ name: String, also dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: [
            .target(name: name), "Access", "Messages", "RPC", "RPCTesting", "ServiceKit", "Storage",
        ] + dependencies,
        swiftSettings: strict
    )
}

let package = Package(
    name: "guildhall",
    platforms: [.macOS(.v26)],
    products: [
        // What generated messages stand on, in this package and in others.
        .library(name: "CMessages", targets: ["CMessages"]),
        .library(name: "CProtobufC", targets: ["CProtobufC"]),
        .library(name: "Messages", targets: ["Messages"]),
        .library(name: "RPC", targets: ["RPC"]),
        .library(name: "RPCTransport", targets: ["RPCTransport"]),
        .library(name: "RPCTelemetry", targets: ["RPCTelemetry"]),
        .library(name: "RPCServices", targets: ["RPCServices"]),
        .library(name: "RPCTesting", targets: ["RPCTesting"]),
        .library(name: "Storage", targets: ["Storage"]),
        .executable(name: "organizations", targets: ["Organizations"]),
        .executable(name: "membership", targets: ["Membership"]),
        .executable(name: "partners", targets: ["Partners"]),
        .executable(name: "branding", targets: ["Branding"]),
        .executable(name: "gateway", targets: ["Gateway"]),
        .executable(name: "guildhall", targets: ["guildhall"]),
    ],
    // Minor versions are taken on purpose, not by chance: a deprecation is an error here.
    dependencies: [
        .package(
            url: "https://github.com/apple/swift-argument-parser", .upToNextMinor(from: "1.8.2")),
        .package(
            url: "https://github.com/apple/swift-configuration", .upToNextMinor(from: "1.4.0"),
            traits: ["CommandLineArguments"]),
        .package(url: "https://github.com/apple/swift-crypto", .upToNextMinor(from: "4.5.2")),
        .package(
            url: "https://github.com/apple/swift-distributed-tracing", .upToNextMinor(from: "1.7.3")
        ),
        .package(url: "https://github.com/apple/swift-log", .upToNextMinor(from: "1.16.2")),
        .package(url: "https://github.com/apple/swift-metrics", .upToNextMinor(from: "2.13.0")),
        .package(url: "https://github.com/apple/swift-nio", .upToNextMinor(from: "2.101.2")),
        .package(url: "https://github.com/apple/swift-nio-ssl", .upToNextMinor(from: "2.37.6")),
        .package(url: "https://github.com/apple/swift-protobuf", .upToNextMinor(from: "1.39.0")),
        .package(url: "https://github.com/apple/swift-system", .upToNextMinor(from: "1.8.1")),
        .package(
            url: "https://github.com/HdrHistogram/hdrhistogram-swift", .upToNextMinor(from: "0.2.0")
        ),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird",
            .upToNextMinor(from: "2.28.1"), traits: []),
        .package(
            url: "https://github.com/swift-server/swift-service-lifecycle",
            .upToNextMinor(from: "2.13.0")),
        .package(
            url: "https://github.com/swiftlang/swift-subprocess", .upToNextMinor(from: "1.0.2")),
    ],
    targets: [
        .systemLibrary(
            name: "CProtobufC", pkgConfig: "libprotobuf-c",
            providers: [.apt(["libprotobuf-c-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(
            name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        // The resolver of the C library.
        .systemLibrary(name: "CResolver"),
        .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
        .systemLibrary(name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),
        .systemLibrary(
            name: "CXLSXWriter", pkgConfig: "xlsxwriter",
            providers: [.apt(["libxlsxwriter-dev"])]),
        .systemLibrary(
            name: "CCURL", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "CMessages", dependencies: ["CProtobufC"]),

        .target(name: "RPC", swiftSettings: strict),
        .target(
            name: "Messages", dependencies: ["CMessages", "CProtobufC", "RPC"],
            swiftSettings: strict),
        .target(
            name: "RPCTransport",
            dependencies: [
                "CZlib", "RPC", nioCore, nioHTTP1, nioPosix, nioSSL, nioTLS, log,
            ],
            swiftSettings: strict),
        .target(
            name: "RPCTelemetry", dependencies: ["RPC", metrics, tracing], swiftSettings: strict),
        // Health, reflection and introspection of any server.
        .target(
            name: "RPCServices", dependencies: ["Messages", "RPC", "RPCTransport"],
            swiftSettings: strict),
        .target(name: "RPCTesting", dependencies: ["RPC"], swiftSettings: strict),
        .target(name: "Storage", dependencies: ["CSQLite"], swiftSettings: strict),
        .target(name: "Access", dependencies: ["Encodings"], swiftSettings: strict),
        // Base64, hexadecimal digits, JSON as a tree, days and instants as text.
        .target(name: "Encodings", swiftSettings: strict),
        .target(name: "EmailDomains", swiftSettings: strict),
        .target(
            name: "Spreadsheets",
            dependencies: ["CExpat", "CXLSXWriter", "CZip", subprocess, systemPackage],
            swiftSettings: strict),
        .target(
            name: "TreeCopy", dependencies: ["Access", "Messages", "RPC", "Storage"],
            swiftSettings: strict),
        .target(
            name: "Mail",
            dependencies: [
                "Access", "CCURL", "Encodings", "Messages", "RPC", "ServiceKit", "Storage", log,
                metrics,
            ],
            swiftSettings: strict),
        // Signed calls of outside systems by HTTP.
        .target(
            name: "Webhooks", dependencies: ["CCURL", "Encodings", crypto],
            swiftSettings: strict),
        .target(
            name: "ServiceKit",
            dependencies: [
                "Access", "Encodings", "Messages", "RPC", "RPCServices", "RPCTelemetry",
                "RPCTransport", "Storage", log, lifecycle,
                .product(name: "Configuration", package: "swift-configuration"),
                crypto,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        // Messages by their descriptors alone; for tools, no service needs it.
        .target(
            name: "DynamicMessages", dependencies: ["Encodings", protobuf], swiftSettings: strict),
        .executableTarget(
            name: "guildhall",
            dependencies: [
                "Access", "DynamicMessages", "Encodings", "Messages", "RPC", "RPCTransport",
                "ServiceKit", "Storage", log, nioCore, nioPosix, subprocess, systemPackage, crypto,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            resources: [.embedInCode("Resources")],
            swiftSettings: strict),

        service(
            "Organizations",
            also: ["CResolver", "EmailDomains", "Mail", "Spreadsheets", "Webhooks", metrics]),
        service("Membership", also: ["EmailDomains", "Mail", "TreeCopy", "CArgon2", crypto]),
        service("Partners", also: ["TreeCopy"]),
        service("Branding", also: ["TreeCopy", crypto]),
        .executableTarget(
            name: "Gateway",
            dependencies: [
                "Access", "Encodings", "Messages", "RPC", "RPCTransport", "ServiceKit", log,
                lifecycle, nioCore, crypto,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                nioHTTP1,
                protobuf,
            ],
            path: "Services/Gateway",
            exclude: ["README.md"],
            swiftSettings: strict),

        .testTarget(name: "RPCTests", dependencies: ["RPC", "RPCTesting"], swiftSettings: strict),
        .testTarget(
            name: "RPCTransportTests",
            dependencies: [
                "Messages", "RPC", "RPCTransport", "TestSupport", nioCore, nioHTTP1, nioPosix, log,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "RPCTelemetryTests",
            dependencies: [
                "RPC", "RPCTelemetry", "RPCTesting", "RPCTransport", metrics, tracing,
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            swiftSettings: strict),
        // What the tests of several modules need.
        .target(
            name: "TestSupport", dependencies: [subprocess, systemPackage],
            path: "Tests/TestSupport", swiftSettings: strict),
        // Messages of tests, generated like those of the product.
        .target(
            name: "CTesting", dependencies: ["CMessages", "CProtobufC"], path: "Tests/CTesting"),
        .testTarget(
            name: "MessagesTests",
            dependencies: ["CTesting", "Messages", "RPC", "RPCTesting", "TestSupport"],
            exclude: ["Fixtures", "Protos"],
            swiftSettings: strict),
        .testTarget(
            name: "DynamicMessagesTests",
            dependencies: [
                "DynamicMessages", "Encodings", "Messages", protobuf, subprocess, systemPackage,
            ],
            exclude: ["Fixtures", "Protos", "Python"],
            swiftSettings: strict),
        // A layer under SQLite's files that notes what is done to them and fails on demand.
        .target(name: "CFaultyDisk", dependencies: ["CSQLite"], path: "Tests/CFaultyDisk"),
        // The process that the tests of storage kill.
        .executableTarget(
            name: "StorageWorker", dependencies: ["CFaultyDisk", "CSQLite", "Storage"],
            path: "Tests/StorageWorker", swiftSettings: strict),
        .testTarget(
            name: "StorageTests",
            dependencies: [
                "CFaultyDisk", "Storage", "StorageWorker", "TestSupport", subprocess, systemPackage,
            ],
            swiftSettings: strict),
        // The program that the tests of spreadsheets start again to read and write.
        .executableTarget(
            name: "SpreadsheetsHost", dependencies: ["Spreadsheets"],
            path: "Tests/SpreadsheetsHost", swiftSettings: strict),
        .testTarget(
            name: "SpreadsheetsTests",
            dependencies: ["CZip", "Spreadsheets", "SpreadsheetsHost", subprocess, systemPackage],
            exclude: ["Python"],
            swiftSettings: strict),
        .testTarget(name: "AccessTests", dependencies: ["Access"], swiftSettings: strict),
        .testTarget(
            name: "TreeCopyTests",
            dependencies: ["Access", "Messages", "RPC", "Storage", "TreeCopy"],
            swiftSettings: strict),
        .testTarget(
            name: "ServiceKitTests",
            dependencies: [
                "Access", "Encodings", "Messages", "RPC", "RPCServices", "RPCTesting",
                "RPCTransport",
                "ServiceKit", "Storage", "TreeCopy", log, metrics, tracing, crypto,
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "MailTests",
            dependencies: [
                "Mail", "Storage", "TestSupport", log, metrics, subprocess, systemPackage,
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            exclude: ["Python"],
            swiftSettings: strict),
        .testTarget(
            name: "WebhooksTests",
            dependencies: ["TestSupport", "Webhooks", subprocess, systemPackage],
            exclude: ["Python"],
            swiftSettings: strict),
        serviceTests(
            "Organizations",
            also: [
                "Mail", "Spreadsheets", "TestSupport", "Webhooks", log, metrics,
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ]),
        serviceTests("Membership", also: ["Mail", "TestSupport", "TreeCopy", log]),
        serviceTests("Partners"),
        serviceTests("Branding", also: ["TestSupport"]),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Access", "Encodings", "Gateway", "Messages", "RPC", "RPCTesting", "ServiceKit",
                log,
                nioCore, nioPosix, protobuf, subprocess, systemPackage,
            ],
            exclude: ["Python"],
            swiftSettings: strict),
        .testTarget(
            name: "CommandLineTests",
            dependencies: [
                "guildhall", "DynamicMessages", "Encodings", "Messages", "RPC", "RPCServices",
                "RPCTransport", "ServiceKit", log, subprocess, systemPackage,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "GuildhallTests",
            dependencies: ["guildhall", "DynamicMessages", "Encodings", "RPC"],
            swiftSettings: strict),
        .testTarget(
            name: "StyleTests", dependencies: ["CSQLite", "Mail", "Storage", "TreeCopy"],
            swiftSettings: strict),
        .testTarget(
            name: "SystemTests",
            dependencies: ["TestSupport", subprocess, systemPackage],
            exclude: ["Python"],
            swiftSettings: strict),
    ]
)
