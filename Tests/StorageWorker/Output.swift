import Glibc

/// Lines on standard output, each with one call and nothing kept back.
enum Output {
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
