internal import Glibc

/// What a restore does with files; nobody has them open.
extension DataFile {
    /// The files in which SQLite keeps what is not in the database yet.
    private static let companions = ["-wal", "-shm", "-journal"]

    /// Whether the file is there, or a log without it.
    var hasAnyFile: Bool {
        ([""] + Self.companions).contains { unsafe access(path + $0, F_OK) == 0 }
    }

    /// Removes the file and what belongs to it.
    func remove() {
        for suffix in [""] + Self.companions { unsafe unlink(path + suffix) }
    }

    /// Makes the file from another, and waits until it is on the disk.
    func fill(from source: String, chunkBytes: Int) throws {
        let input = unsafe open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw OpeningFault.file(path: source, reason: Self.reason) }
        defer { close(input) }
        let output = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw OpeningFault.file(path: path, reason: Self.reason) }
        defer { close(output) }
        var chunk = [UInt8](repeating: 0, count: chunkBytes)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { bytes in
                unsafe read(input, bytes.baseAddress, bytes.count)
            }
            guard count >= 0 else { throw OpeningFault.file(path: source, reason: Self.reason) }
            if count == 0 { break }
            try write(chunk.prefix(count), to: output)
        }
        guard fsync(output) == 0 else { throw OpeningFault.file(path: path, reason: Self.reason) }
    }

    /// Gives the file, and the log of a process that was killed, a second name, and takes the log
    /// away from the first: beside another database it would damage that.
    ///
    /// - Parameter other: The second name.
    /// - Returns: Whether the name was free.
    /// - Throws: ``OpeningFault``; nothing is lost then.
    func putAside(as other: String) throws -> Bool {
        guard !DataFile(path: other).hasAnyFile else { return false }
        let present = ([""] + Self.companions).filter { unsafe access(path + $0, F_OK) == 0 }
        for suffix in present {
            guard unsafe Glibc.link(path + suffix, other + suffix) == 0 else {
                throw OpeningFault.file(path: other + suffix, reason: Self.reason)
            }
        }
        // Both have two names now; the log loses the one that a new database would find.
        for suffix in Self.companions { unsafe unlink(path + suffix) }
        return true
    }

    /// Gives back what ``putAside(as:)`` took away.
    func takeBack(from other: String) {
        for suffix in Self.companions { unsafe _ = Glibc.link(other + suffix, path + suffix) }
    }

    /// Puts the file in the place of another, for good.
    func rename(to other: String) throws {
        guard unsafe Glibc.rename(path, other) == 0 else {
            throw OpeningFault.file(path: other, reason: Self.reason)
        }
        let folder = DataFile(path: other).folder
        let descriptor = unsafe open(folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw OpeningFault.file(path: folder, reason: Self.reason) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw OpeningFault.file(path: folder, reason: Self.reason)
        }
    }

    private func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            }
            guard count > 0 else { throw OpeningFault.file(path: path, reason: Self.reason) }
            rest = rest.dropFirst(count)
        }
    }
}
