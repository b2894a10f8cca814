import Foundation
import Messages
import RPC
import ServiceKit
import Subprocess
import Testing

/// Who the command line says that calls.
@Suite struct PrincipalTests {
    private let data = FileManager.default.temporaryDirectory
        .appending(path: "guildhall-\(UUID().uuidString)")

    @Test func `reflection and health need no principal, all else does`() async throws {
        defer { try? FileManager.default.removeItem(at: data) }
        try await Stall.open(keys: data.appending(path: "keys").path) { _, target in
            let described = try await Executable.run(["describe", "--target", target])
            let checked = try await Executable.run(["call", "Check", "--target", target])
            let refused = try await Executable.run(["call", "GetOrganization", "--target", target])

            #expect(described.hasSucceeded, "\(described.error)")
            #expect(checked.hasSucceeded, "\(checked.error)")
            #expect(refused.status == .exited(1))
            #expect(refused.error.hasPrefix("UNAUTHENTICATED (16)"), "\(refused.error)")
        }
    }

    @Test func `the operator's key states who acts`() async throws {
        defer { try? FileManager.default.removeItem(at: data) }
        let keys = data.appending(path: "keys").path
        let node = "018f0000-0000-7000-8000-000000000001"
        try await Stall.open(keys: keys) { stall, target in
            let signed = ["call", "GetOrganization", "--target", target, "--data", data.path]
            let owner = try await Executable.run(signed)
            let administrator = try await Executable.run(
                signed + ["--as", "org-admin@\(node)", "--as", "teacher@\(node)", "--user", node])

            #expect(owner.hasSucceeded, "\(owner.error)")
            #expect(administrator.hasSucceeded, "\(administrator.error)")
            let principals = try stall.metadata.map { metadata in
                let signed = try SignedPrincipal(
                    decoding: try #require(metadata[bytes: MetadataKey.principal]))
                #expect(signed.keyName == "operator")
                return try Principal(decoding: signed.principal)
            }
            try #require(principals.count == 2)
            #expect(principals[0].grants.map(\.role) == [.platformOwner])
            #expect(principals[1].grants.map(\.role) == [.orgAdmin, .teacher])
            #expect(principals[1].grants.map(\.organizationID) == [node, node])
            #expect(principals[1].subject == .userID(node))
        }
    }
}
