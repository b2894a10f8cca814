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

let messages = Target.Dependency.product(name: "Messages", package: "guildhall")
let rpc = Target.Dependency.product(name: "RPC", package: "guildhall")
let rpcTransport = Target.Dependency.product(name: "RPCTransport", package: "guildhall")
let swiftProtobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")

let package = Package(
    name: "benchmarks",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "guildhall", path: "../.."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.1"),
    ],
    targets: [
        .target(
            name: "BenchmarkKit",
            dependencies: [.product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: strict),
        .executableTarget(
            name: "EchoServer",
            dependencies: [
                "BenchmarkKit",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "GuildhallServer",
            dependencies: ["BenchmarkKit", messages, rpc, rpcTransport],
            swiftSettings: strict),
        .executableTarget(
            name: "GuildhallClient",
            dependencies: ["BenchmarkKit", messages, rpc, rpcTransport],
            swiftSettings: strict),
        .executableTarget(
            name: "GRPCSwiftServer",
            dependencies: [
                "BenchmarkKit", swiftProtobuf,
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
                .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "Codec",
            dependencies: ["BenchmarkKit", messages, rpc, swiftProtobuf],
            swiftSettings: strict),
    ]
)
