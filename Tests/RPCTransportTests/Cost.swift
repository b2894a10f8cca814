import Foundation
import RPC

/// What a piece of work costs: the processor time of its thread, and memory.
struct Cost {
    let time: Duration
    /// How much more memory the process held at its height than before.
    let bytes: Int

    static let timeMax: Duration = .milliseconds(50)
    static let bytesMax = 16 << 20

    /// Measures work that stays on its thread.
    ///
    /// The time is the least of three runs: whoever else wants the processor takes caches away.
    static func of(_ work: () -> Void) -> Cost {
        var time: Duration?
        let bytes = memory {
            for _ in 0..<3 {
                let start = threadTime()
                work()
                let spent = threadTime() - start
                time = min(time ?? spent, spent)
            }
        }
        return Cost(time: time ?? .zero, bytes: bytes)
    }

    /// The memory that work takes at its height, on whatever thread.
    static func memory(_ work: () throws -> Void) rethrows -> Int {
        let before = begin()
        try work()
        return height() - before
    }

    /// The memory that work takes at its height, on whatever thread.
    static func memory(_ work: () async throws -> Void) async rethrows -> Int {
        let before = begin()
        try await work()
        return height() - before
    }

    /// Resets the height; returns what the process holds now.
    private static func begin() -> Int {
        // Written to the kernel, not to a file: 5 resets the height of the resident memory.
        let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs")
        file?.write(Data("5".utf8))
        return status("VmRSS:")
    }

    private static func height() -> Int { status("VmHWM:") }

    private static func status(_ name: String) -> Int {
        let text = FileManager.default.contents(atPath: "/proc/self/status") ?? Data()
        let line = String(decoding: text, as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix(name) }
        let words = line?.split(whereSeparator: \.isWhitespace) ?? []
        guard words.count > 1, let kibibytes = Int(words[1]) else { return .max / 2 }
        return kibibytes * 1_024
    }

    private static func threadTime() -> Duration {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
