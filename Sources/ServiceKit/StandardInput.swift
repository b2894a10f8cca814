internal import Dispatch
internal import Glibc

/// What whoever started this process may still have to say, which is nothing but that it is there.
enum StandardInput {
    /// Returns when the standard input has ended, or the task is cancelled.
    static func untilEnd() async {
        let (ending, end) = AsyncStream.makeStream(of: Void.self)
        let source = DispatchSource.makeReadSource(fileDescriptor: STDIN_FILENO, queue: .global())
        source.setEventHandler {
            var bytes = [UInt8](repeating: 0, count: 512)
            let count = unsafe read(STDIN_FILENO, &bytes, bytes.count)
            if count == 0 || count < 0 && errno != EINTR && errno != EAGAIN { end.finish() }
        }
        source.resume()
        for await _ in ending {}
        source.cancel()
    }
}
