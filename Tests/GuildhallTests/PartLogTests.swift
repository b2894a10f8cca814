import Foundation
import Synchronization
import Testing

@testable import guildhall

@Suite(.timeLimit(.minutes(1))) struct PartLogTests {
    private let folder = FileManager.default.temporaryDirectory
        .appending(path: "logs-\(UUID().uuidString)")

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func log(named name: String, bytesMax: Int) throws -> PartLog {
        let file = folder.appending(path: name)
        try Data("twelve bytes".utf8).write(to: file)
        return PartLog(file: file, bytesMax: bytesMax)
    }

    @Test func `a log that is too long becomes the earlier one and begins anew`() throws {
        let log = try log(named: "gateway.log", bytesMax: 11)

        try log.shorten()
        try log.shorten()

        #expect(try Data(contentsOf: log.file).isEmpty)
        let earlier = try Data(contentsOf: log.file.appendingPathExtension("1"))
        #expect(earlier == Data("twelve bytes".utf8))
        try FileManager.default.removeItem(at: folder)
    }

    @Test func `a log of bearable length stays`() throws {
        let log = try log(named: "gateway.log", bytesMax: 12)

        try log.shorten()

        #expect(try Data(contentsOf: log.file).count == 12)
        try FileManager.default.removeItem(at: folder)
    }

    @Test func `a log that cannot be copied is noted once, and nothing ends`() async throws {
        // There is no room in the name for the suffix of the copy.
        let log = try log(named: String(repeating: "a", count: 254), bytesMax: 11)
        let notes = Mutex<[String]>([])

        let keeping = Task {
            try await log.keepShort(every: .milliseconds(1)) { note in
                notes.withLock { $0.append(note) }
            }
        }
        while notes.withLock({ $0.isEmpty }) { await Task.yield() }
        try await Task.sleep(for: .milliseconds(20))
        keeping.cancel()

        await #expect(throws: CancellationError.self) { try await keeping.value }
        #expect(notes.withLock { $0.count } == 1)
        #expect(try Data(contentsOf: log.file).count == 12)
        try FileManager.default.removeItem(at: folder)
    }
}
