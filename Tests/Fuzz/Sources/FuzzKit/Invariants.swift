internal import CFuzzKit
internal import Foundation

/// No input may take more memory than this, whatever it claims.
public let memoryBytesMax = 16 << 20

/// Runs a closure; stops the process, which is a finding, when it takes too much memory at a time.
public func bounded<Result, Failure: Error>(
    to bytesMax: Int = memoryBytesMax, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    memory_watch_begin()
    defer {
        let most = Int(memory_watch_end())
        expect(most <= bytesMax, "\(most) bytes of memory, \(bytesMax) are allowed")
    }
    return try body()
}

/// Stops the process, which is a finding, when two values differ.
public func expectEqual<Value: Equatable>(_ left: Value, _ right: Value, _ what: String) {
    expect(left == right, "\(what):\n  \(left)\n  \(right)")
}

/// Stops the process, which is a finding, when something does not hold.
public func expect(_ condition: Bool, _ message: @autoclosure () -> String) {
    guard !condition else { return }
    // A precondition says nothing in a release build.
    FileHandle.standardError.write(Data("finding: \(message())\n".utf8))
    abort()
}
