/// One step from an older schema to a newer one; never changed once it is released.
public struct Migration: Sendable, Hashable {
    /// Whose tables it makes, such as `organizations` or `tree`.
    public let component: String
    /// Counts from 1 within the component.
    public let number: Int
    /// What it does, in words.
    public let name: String
    /// One or several statements.
    public let sql: String

    /// A migration of the given text.
    public init(component: String, number: Int, name: String, sql: String) {
        self.component = component
        self.number = number
        self.name = name
        self.sql = sql
    }

    /// A migration whose text is built into the program as UTF-8.
    public init(component: String, number: Int, name: String, utf8: [UInt8]) {
        self.init(
            component: component, number: number, name: name,
            sql: String(decoding: utf8, as: UTF8.self))
    }

    /// Tells a changed text from the one that was applied (FNV-1a, 64 bits).
    var checksum: Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in sql.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        return Int64(bitPattern: hash)
    }
}
