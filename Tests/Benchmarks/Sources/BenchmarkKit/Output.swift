import SystemPackage

/// What the script that started this process reads.
public enum Output {
    /// Writes a line to standard output at once.
    public static func line(_ text: String) {
        // Whoever closed the pipe does not read it.
        _ = try? FileDescriptor.standardOutput.writeAll("\(text)\n".utf8)
    }
}
