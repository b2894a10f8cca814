import DynamicMessages
import Foundation
import Messages
import Testing

/// Random messages of the product's own types.
@Suite struct RandomProductTests {
    @Test(arguments: [1, 2])
    func `every message of the product`(seed: Int) async throws {
        let file = FileManager.default.temporaryDirectory
            .appending(path: "guildhall-\(UUID().uuidString).pb")
        try Data(FileDescriptors.set).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }

        try await RandomMessageTests.compare(try Schema(set: FileDescriptors.set), file, seed: seed)
    }
}
