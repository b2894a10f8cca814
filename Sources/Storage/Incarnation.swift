/// A life of a database: from its making, or a restore, to its end.
enum Incarnation {
    /// Another one: 16 random bytes.
    static func random() -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        return (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }
}
