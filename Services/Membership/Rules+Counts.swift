import Access

/// Where somebody who follows the counts of members goes on.
///
/// A beginning goes through all counts by organization, from what the ledger was at its first part
/// on; then the lines of the ledger tell what has changed since.
enum CountPosition: Sendable, Hashable {
    /// More lines of the ledger, or counts, are not told at once.
    static let partMax = 1_000

    /// All that was known is void.
    case anew
    /// Within a beginning: after an organization, and then after a line of the ledger.
    case beginning(after: OrganizationID, then: Int64)
    /// After a line of the ledger.
    case changes(after: Int64)

    /// Reads what the reply before has said.
    ///
    /// - Parameters:
    ///   - sequence: Its sequence.
    ///   - token: Its incarnation, which within a beginning names an organization, too.
    ///   - incarnation: That of this database.
    ///   - head: The last line of the ledger.
    init(sequence: Int64, token: [UInt8], incarnation: [UInt8], head: Int64) {
        guard (1...max(head, 1)).contains(sequence), head > 0, token.starts(with: incarnation)
        else {
            self = .anew
            return
        }
        let rest = Array(token.dropFirst(incarnation.count))
        if rest.isEmpty {
            self = .changes(after: sequence)
        } else if let organization = OrganizationID(bytes: rest) {
            self = .beginning(after: organization, then: sequence)
        } else {
            self = .anew
        }
    }
}
