import Foundation

/// What the person at the terminal reads; logs go elsewhere.
struct Console: Sendable {
    /// Writes a line to standard output at once.
    func line(_ text: String = "") {
        // A closed terminal is no reason to stop the services.
        try? FileHandle.standardOutput.write(contentsOf: Data("\(text)\n".utf8))
    }
}
