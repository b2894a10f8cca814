import Access
import RPC
import ServiceKit
import Storage

/// Makes the first platform owner, without whom nobody could let anybody in.
struct FirstOwner: Sendable {
    let database: Database
    let passwords: Passwords
    let identifiers: IdentifierSource
    let random: @Sendable (_ count: Int) -> [UInt8]

    /// Makes the owner unless there is one.
    ///
    /// - Parameters:
    ///   - email: The address to sign in with; a person who has it already becomes the owner.
    ///   - password: Nil: one is made up.
    ///   - now: When.
    /// - Returns: The line `owner EMAIL PASSWORD` to print once, if a password was made up.
    /// - Throws: ``Denial/invalid(field:_:)`` when address or password are not acceptable.
    func ensure(email: String, password: String?, at now: WallTime) async throws -> String? {
        guard try await !database.read({ try $0.hasPlatformOwner() }) else { return nil }
        let address = try Parse.email(email)
        let madeUp = password == nil
        let chosen = try Parse.newPassword(password ?? Self.password(random(20)))
        let hash = try await passwords.hash(chosen, salt: random(Passwords.saltByteCount))
        let newID: UserID = identifiers.next()
        try await database.write { transaction in
            guard try !transaction.hasPlatformOwner() else { return }
            var owner: UserRecord
            if let known = try transaction.user(email: address) {
                owner = known
                try transaction.setPassword(of: known.id, hash: hash)
                // Whoever runs the installation says so.
                try transaction.verifyEmail(of: known)
                owner.isEmailVerified = true
            } else {
                owner = UserRecord(
                    id: newID, email: address, name: "Platform owner", created: now, version: 1,
                    isEmailVerified: true)
                try transaction.add(owner, passwordHash: hash)
            }
            try transaction.grantPlatformRole(.platformOwner, to: owner.id)
            try transaction.noteAffiliation(of: owner)
        }
        return madeUp ? "owner \(address) \(chosen)" : nil
    }

    /// Twenty letters and digits that are not mistaken for one another: 100 bits.
    static func password(_ bytes: [UInt8]) -> String {
        let letters = Array("abcdefghijkmnpqrstuvwxyz23456789".utf8)
        return String(decoding: bytes.map { letters[Int($0 & 31)] }, as: UTF8.self)
    }
}
