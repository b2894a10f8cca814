internal import Glibc

/// Small files that hold keys: read whole, created once, open to their owner alone.
enum PrivateFile {
    /// Nothing that is a key is longer.
    static let byteCountMax = 4_096

    /// Why a file cannot be read or made.
    struct Fault: Error, CustomStringConvertible {
        let description: String

        static func system(_ path: String, _ deed: String) -> Fault {
            let reason = unsafe String(cString: strerror(errno))
            return Fault(description: "cannot \(deed) \(path): \(reason)")
        }
    }

    /// The content of a file; nil when there is none.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - isSecret: Whether it must not be open to anybody but its owner.
    /// - Returns: The bytes, or nil.
    /// - Throws: ``Fault``.
    static func read(_ path: String, isSecret: Bool) throws(Fault) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .system(path, "open")
        }
        defer { close(descriptor) }
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0 else { throw .system(path, "look at") }
        guard facts.st_mode & S_IFMT == S_IFREG else {
            throw Fault(description: "\(path) is not a file")
        }
        guard !isSecret || facts.st_mode & 0o077 == 0 else {
            throw Fault(description: "\(path) is open to others: chmod 600 it")
        }
        var bytes = [UInt8](repeating: 0, count: byteCountMax + 1)
        var count = 0
        while count < bytes.count {
            let space = bytes.count - count
            let got = unsafe bytes.withUnsafeMutableBytes { memory in
                unsafe Glibc.read(descriptor, memory.baseAddress.map { unsafe $0 + count }, space)
            }
            guard got >= 0 else { throw .system(path, "read") }
            if got == 0 { break }
            count += got
        }
        guard count <= byteCountMax else { throw Fault(description: "\(path) is too long") }
        return Array(bytes.prefix(count))
    }

    /// Makes a file with a content, whole or not at all.
    ///
    /// - Returns: Whether it was made; false when there is one already.
    static func create(_ path: String, _ content: [UInt8], mode: mode_t) throws(Fault) -> Bool {
        // Others may read it as soon as it has its name: it gets the name once it is complete.
        let draft = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max))"
        let descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw .system(draft, "create") }
        defer { unsafe unlink(draft) }
        let written = unsafe content.withUnsafeBytes { memory in
            unsafe write(descriptor, memory.baseAddress, memory.count)
        }
        let isSafe = written == content.count && fsync(descriptor) == 0
        guard close(descriptor) == 0, isSafe else { throw .system(draft, "write") }
        if unsafe link(draft, path) == 0 { return true }
        guard errno == EEXIST else { throw .system(path, "create") }
        return false
    }

    /// Makes a folder that only its owner may enter, and those above it.
    static func createFolder(_ path: String) throws(Fault) {
        var partial = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            partial += partial.isEmpty || partial == "/" ? String(part) : "/\(part)"
            guard unsafe mkdir(partial, 0o700) == 0 || errno == EEXIST else {
                throw .system(partial, "create the folder")
            }
        }
    }
}
