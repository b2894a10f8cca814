#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What this process has used.
public enum Usage {
    /// Processor time of all threads since the start.
    public static var processorTime: Duration {
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}

/// Keeps the optimizer from leaving out work whose result nobody reads.
@inline(never)
public func blackHole<Value>(_ value: borrowing Value) {}
