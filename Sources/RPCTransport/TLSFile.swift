internal import Glibc

/// A file with certificates or a key, read whole.
enum TLSFile {
    /// A larger file holds something else.
    static let byteCountMax = 1_024 * 1_024

    /// What changes when a file is written anew or another takes its place.
    struct Stamp: Sendable, Hashable {
        private let device: UInt
        private let inode: UInt
        private let byteCount: Int
        private let modifiedSeconds: Int
        private let modifiedNanoseconds: Int

        /// The stamp of a file; nil when it cannot be looked at.
        init?(_ path: String) {
            var facts = stat()
            guard unsafe fstatat(AT_FDCWD, path, &facts, 0) == 0 else { return nil }
            device = UInt(facts.st_dev)
            inode = UInt(facts.st_ino)
            byteCount = Int(facts.st_size)
            modifiedSeconds = facts.st_mtim.tv_sec
            modifiedNanoseconds = facts.st_mtim.tv_nsec
        }
    }

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - isSecret: Whether it must not be open to anybody but its owner.
    /// - Returns: The bytes.
    /// - Throws: ``TLSFault``.
    static func read(_ path: String, isSecret: Bool = false) throws(TLSFault) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failed("open", path) }
        defer { close(descriptor) }
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0 else { throw failed("look at", path) }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw TLSFault("\(path) is not a file") }
        guard !isSecret || facts.st_mode & 0o077 == 0 else {
            throw TLSFault("\(path) is open to others: chmod 600 it")
        }
        guard facts.st_size <= byteCountMax else { throw TLSFault("\(path) is too long") }
        var bytes = [UInt8](repeating: 0, count: Int(facts.st_size))
        var count = 0
        while count < bytes.count {
            let space = bytes.count - count
            let got = unsafe bytes.withUnsafeMutableBytes { memory in
                unsafe Glibc.read(descriptor, memory.baseAddress.map { unsafe $0 + count }, space)
            }
            guard got >= 0 else { throw failed("read", path) }
            if got == 0 { break }
            count += got
        }
        return Array(bytes.prefix(count))
    }

    private static func failed(_ deed: String, _ path: String) -> TLSFault {
        let reason = unsafe String(cString: strerror(errno))
        return TLSFault("cannot \(deed) \(path): \(reason)")
    }
}
