import Logging
import ServiceKit
import Storage

// Types that an older program gave and did not tell: told once, beside the work.

extension Upkeep {
    /// The pause between two transactions, in which others write.
    static let typesBatchPause: Duration = .milliseconds(100)
    /// Organizations that are told of in one transaction: others are not kept waiting.
    static let typesAtOnce = 200

    /// Tells until none is left, from now on.
    func tellTypes(clock: WallClock, logger: Logger) async throws {
        var isMore = true
        while isMore {
            do {
                let told = try await tellTypes(clock: clock)
                if told > 0 {
                    logger.info("types told", metadata: ["organizations": "\(told)"])
                }
                isMore = try await database.read { try $0.hasUntoldTypes() }
            } catch let fault as StorageFault {
                logger.warning("types not told", metadata: ["error": "\(fault)"])
            }
            if isMore { try await Task.sleep(for: typesPause) }
        }
    }

    /// Looks once at every organization whose type is to be told.
    ///
    /// - Returns: How many were told of.
    /// - Throws: `StorageFault`.
    @discardableResult
    func tellTypes(
        clock: WallClock, batchPause: Duration = typesBatchPause
    ) async throws -> Int {
        guard try await database.read({ try $0.hasUntoldTypes() }) else { return 0 }
        var told = 0
        var next: Int64? = 0
        while let after = next {
            let now = clock.now()
            let telling = try await database.write { transaction in
                try transaction.tellTypes(after: after, atMost: Self.typesAtOnce, at: now)
            }
            told += telling.told
            next = telling.next
            if next != nil { try await Task.sleep(for: batchPause) }
        }
        return told
    }
}
