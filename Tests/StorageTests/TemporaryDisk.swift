import Glibc

@testable import Storage

/// A small disk of a test's own, in memory; gone with it.
final class TemporaryDisk: Sendable {
    static let bytes = 8 * 1_024 * 1_024
    static let isPossible = { TemporaryDisk() != nil }()

    let folder: TemporaryFolder

    /// Mounts a disk; nil where that is not permitted.
    init?() {
        let folder = TemporaryFolder()
        guard unsafe mount("tmpfs", folder.path, "tmpfs", 0, "size=\(Self.bytes)") == 0 else {
            return nil
        }
        self.folder = folder
    }

    deinit {
        // Gone from the tree at once, and for good once its last file is closed.
        unsafe umount2(folder.path, Int32(MNT_DETACH))
    }

    /// The bytes that are free.
    var freeBytes: Int { Int(DataFile(path: folder.path).freeBytes() ?? 0) }

    /// The size of a file; nil if there is none.
    func size(of name: String) -> Int? {
        var info = stat()
        return unsafe stat("\(folder.path)/\(name)", &info) == 0 ? Int(info.st_size) : nil
    }

    /// Fills the disk by a file of no use until so many bytes are free.
    func fill(leaving bytes: Int) {
        let path = "\(folder.path)/filler"
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        posix_fallocate(descriptor, 0, off_t((size(of: "filler") ?? 0) + freeBytes - bytes))
        close(descriptor)
    }

    /// Removes that file.
    func free() {
        unsafe unlink("\(folder.path)/filler")
    }
}
