import CFaultyDisk
import CSQLite

/// A disk under every database of this process, that keeps nothing more from some time on.
struct FailingDisk {
    private static let name = "failing"
    private let number: Int32

    init() {
        number = unsafe faulty_disk_make(Self.name, 0)
        unsafe sqlite3_vfs_register(sqlite3_vfs_find(Self.name), 1)
    }

    /// Has the n-th sync from now fail, and all after it.
    func failSyncs(from number: Int) {
        faulty_disk_arm(
            self.number, FAULTY_DISK_SYNC_FAILS, Int32(FAULTY_DISK_ANY_ROLE.rawValue),
            Int64(number), true)
    }
}
