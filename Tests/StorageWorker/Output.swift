import Glibc
import Synchronization

/// Lines on standard output, each with one call and nothing kept back.
enum Output {
    private static let answered = Atomic(false)

    /// Whether it has been said that a command was acknowledged.
    static var hasAnswered: Bool { answered.load(ordering: .acquiring) }

    /// Says that a command was acknowledged.
    static func answer(_ text: String) {
        line("ack \(text)")
        answered.store(true, ordering: .releasing)
    }

    static func line(_ text: String) {
        var bytes = Array("\(text)\n".utf8)
        _ = unsafe write(STDOUT_FILENO, &bytes, bytes.count)
    }
}

/// Bytes as lower-case hexadecimal digits.
func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef")
    return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}
