import Glibc

/// Figures that a test has measured, for whoever reads its output.
enum Report {
    static func line(_ text: String) {
        var bytes = Array("\(text)\n".utf8)
        _ = unsafe write(STDERR_FILENO, &bytes, bytes.count)
    }
}
