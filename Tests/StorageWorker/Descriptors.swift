import Glibc
import Storage

/// The number of files that this process may have open.
enum Descriptors {
    /// Beyond what a database with its connections needs.
    private static let enough = 64

    /// Opens a database with every number of descriptors from too few to enough; says what comes
    /// of it each time.
    static func open(_ open: () throws -> Database) {
        let used = lowestFree()
        for spare in 0..<enough {
            let opened = limited(to: used + spare) { Result { try open() } }
            switch opened {
            case .success(let database):
                Output.line("opened \(spare)")
                database.close()
                if lowestFree() != used { Output.line("leaked \(spare)") }
                return
            case .failure(let fault as OpeningFault):
                Output.line("refused \(spare) \(fault)")
            case .failure(StorageFault.busy):
                Output.line("refused \(spare) busy")
            case .failure(let error):
                Output.line("confused \(spare) \(error)")
            }
            if lowestFree() != used { Output.line("leaked \(spare)") }
        }
    }

    /// Leaves the process without a free descriptor while a closure runs.
    static func withNone(_ body: () async throws -> Void) async rethrows {
        let before = limit()
        set(lowestFree(), before)
        Output.line("scant")
        defer {
            set(Int(before.rlim_cur), before)
            Output.line("plenty")
        }
        try await body()
    }

    private static func limited<Value>(to count: Int, _ body: () -> Value) -> Value {
        let before = limit()
        set(count, before)
        defer { set(Int(before.rlim_cur), before) }
        return body()
    }

    private static func limit() -> rlimit {
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return limit
    }

    private static func set(_ count: Int, _ limit: rlimit) {
        var changed = limit
        changed.rlim_cur = rlim_t(count)
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &changed)
    }

    /// Descriptors are numbered from below: the number of the next one.
    private static func lowestFree() -> Int {
        let descriptor = dup(STDOUT_FILENO)
        close(descriptor)
        return Int(descriptor)
    }
}
