import Foundation

/// The log of a part: the part appends to it, so that it may be emptied under it.
struct PartLog: Sendable {
    /// A log that grows beyond this many bytes becomes `NAME.log.1` and begins anew.
    static let bytesMax = 32 << 20
    /// How often the size of a log is looked at.
    static let pollInterval: Duration = .seconds(5)

    let file: URL
    var bytesMax = Self.bytesMax

    /// Keeps the log short until the task is cancelled.
    ///
    /// A disk on which there is no room for the copy is no reason to end anything: it is noted
    /// when it begins, and tried again.
    func keepShort(
        every interval: Duration = pollInterval, _ note: (String) -> Void
    ) async throws {
        var isFailing = false
        while true {
            try await Task.sleep(for: interval)
            do {
                try shorten()
                isFailing = false
            } catch {
                if !isFailing { note("\(file.path) cannot be shortened: \(error)") }
                isFailing = true
            }
        }
    }

    /// Copies the log to `NAME.log.1` and empties it, if it is too long.
    func shorten() throws {
        let values = try? file.resourceValues(forKeys: [.fileSizeKey])
        guard let size = values?.fileSize, size > bytesMax else { return }
        let earlier = file.appendingPathExtension("1")
        // An earlier one may be missing: there is nothing to remove then.
        try? FileManager.default.removeItem(at: earlier)
        do {
            try FileManager.default.copyItem(at: file, to: earlier)
        } catch {
            // Half a copy takes the room that is missing, and helps nobody.
            try? FileManager.default.removeItem(at: earlier)
            throw error
        }
        let handle = try FileHandle(forWritingTo: file)
        try handle.truncate(atOffset: 0)
        try handle.close()
    }
}
