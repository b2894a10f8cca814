import Messages
import RPC
import RPCServices
import RPCTesting
import ServiceKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct ReflectionTests {
    private let installation = Installation()
    private let client: ReflectionClient

    /// A server of Health and Branding, and of nothing else.
    init() throws {
        let reflection = ServiceReflection(
            of: HealthMethods.all + BrandingMethods.all, descriptors: FileDescriptors.set)
        client = ReflectionClient(
            InProcessChannel(try installation.router("shelf", reflection.registeredMethods)))
    }

    private func files(
        _ subject: GetFileDescriptorsRequest.Subject? = nil
    ) async throws -> [[UInt8]] {
        try await client.getFileDescriptors(GetFileDescriptorsRequest(subject: subject)).files
    }

    /// The name of a file: the first field of its descriptor.
    private func name(_ file: [UInt8]) throws -> String {
        try #require(file.count > 2 && file[0] == 0x0A && file[1] < 0x80)
        return String(decoding: file[2..<2 + Int(file[1])], as: UTF8.self)
    }

    @Test func `the services that are served are listed, without a principal`() async throws {
        let services = try await client.listServices(ListServicesRequest()).services

        #expect(
            services == [
                "guildhall.branding.v1.Branding", "guildhall.rpc.v1.Health",
                "guildhall.rpc.v1.Reflection",
            ])
    }

    @Test func `one call answers all files, each after those that it imports`() async throws {
        let names = try await files().map(name)

        #expect(Set(names).count == names.count)
        #expect(names.contains("guildhall/rpc/v1/health.proto"))
        #expect(!names.contains("guildhall/partners/v1/partners.proto"))
        let importing = try #require(names.firstIndex(of: "guildhall/branding/v1/branding.proto"))
        for imported in ["google/api/annotations.proto", "google/protobuf/timestamp.proto"] {
            let position = try #require(names.firstIndex(of: imported), "\(imported)")
            #expect(position < importing)
        }
    }

    @Test func `a service or a file is answered with what it imports`() async throws {
        let health = try await files(.service("guildhall.rpc.v1.Health")).map(name)
        let annotations = try await files(.file("google/api/annotations.proto")).map(name)

        #expect(health == ["guildhall/rpc/v1/health.proto"])
        #expect(annotations.last == "google/api/annotations.proto")
        #expect(annotations.contains("google/protobuf/descriptor.proto"))
    }

    @Test(
        arguments: [
            .service("guildhall.partners.v1.Partners"), .service(""), .service("guildhall"),
            .file("guildhall/partners/v1/partners.proto"),
            .file("guildhall/access/v1/principal.proto"),
            .file(""), .file("../../etc/passwd"),
        ] as [GetFileDescriptorsRequest.Subject])
    func `what is not served is not found`(subject: GetFileDescriptorsRequest.Subject) async {
        let refused = await status { _ = try await files(subject) }

        #expect(refused?.code == .notFound)
    }
}
