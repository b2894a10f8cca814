internal import Dispatch
internal import Glibc

/// What whoever started this process may still have to say, which is nothing but that it is there.
enum StandardInput {
    /// Returns when the standard input has ended, or the task is cancelled.
    static func untilEnd() async {
        let (ending, end) = AsyncStream.makeStream(of: Void.self)
        // A queue of its own has a thread of its own, which may wait for as long as the process
        // lives.
        DispatchQueue(label: "guildhall.standard-input").async {
            var bytes = [UInt8](repeating: 0, count: 512)
            while true {
                let count = unsafe read(STDIN_FILENO, &bytes, bytes.count)
                if count == 0 || count < 0 && errno != EINTR { break }
            }
            end.finish()
        }
        for await _ in ending {}
    }
}
