import Glibc
import TestSupport

/// What a power cut may leave of the files on a disk, after each operation of its record.
///
/// What a file's last sync covers is there; what came later may be there, wholly, in part or not
/// at all, sector by sector. Names in the folder change in order, and for certain only with a
/// sync of the folder. After a sync that failed the system has forgotten the writes before it: a
/// later sync says nothing of them.
final class CrashStates {
    /// Which of the writes that no sync has confirmed reach the disk.
    enum Survival: CaseIterable {
        case none
        /// As when the process ends and the machine goes on.
        case all
        case first
        case last
        /// Each file's, or none of that file's.
        case wholeFiles
        case some
        /// Each sector by itself.
        case torn
    }

    /// A disk writes so many bytes wholly or not at all.
    static let sectorBytes = 512

    private struct Pending {
        enum Certainty {
            case open
            /// Before a sync that failed.
            case forgotten
            /// Covered by a sync, but a write before it was forgotten.
            case confirmed
        }

        let number: Int
        var certainty = Certainty.open
    }

    private struct File {
        let role: FaultyDisk.Role
        /// Holds what syncs have confirmed.
        let descriptor: Int32
        var pending: [Pending] = []

        /// Notes that a sync covers the writes so far, save those forgotten.
        mutating func confirm() {
            for index in pending.indices where pending[index].certainty == .open {
                pending[index].certainty = .confirmed
            }
        }

        /// Notes that a sync failed.
        mutating func forget() {
            for index in pending.indices where pending[index].certainty == .open {
                pending[index].certainty = .forgotten
            }
        }
    }

    /// How many operations have been done before the power cut.
    private(set) var position = 0
    /// How many operations there are.
    var count: Int { record.count }

    private let disk: FaultyDisk
    private let record: [RecordedOperation]
    private var files: [Int: File] = [:]
    private var names: [FaultyDisk.Role: Int] = [:]
    private var pendingNames: [(role: FaultyDisk.Role, file: Int?)] = []

    /// The states of a disk whose work is done.
    init(of disk: FaultyDisk) {
        self.disk = disk
        record = disk.record()
    }

    deinit {
        for file in files.values { close(file.descriptor) }
    }

    /// Whether the next operation confirms what was written.
    var isBeforeSync: Bool {
        guard position < record.count, case .sync = record[position].kind else { return false }
        return true
    }

    /// Does the next operation.
    func advance() {
        let operation = record[position]
        switch operation.kind {
        case .found(let size):
            precondition(size == 0, "what was in the file is not known")
            files[operation.file] = File(role: operation.role, descriptor: Self.scratchFile())
            names[operation.role] = operation.file
        case .made:
            files[operation.file] = File(role: operation.role, descriptor: Self.scratchFile())
            pendingNames.append((operation.role, operation.file))
        case .write, .truncate:
            files[operation.file]?.pending.append(Pending(number: position))
        case .sync:
            settle(operation.file)
        case .failedSync:
            files[operation.file]?.forget()
        case .delete:
            pendingNames.append((operation.role, nil))
        }
        if operation.syncsFolder {
            for name in pendingNames { names[name.role] = name.file }
            pendingNames = []
        }
        position += 1
    }

    /// A file without a name.
    private static func scratchFile() -> Int32 {
        var path = Array("/tmp/storage-test-XXXXXX".utf8CString)
        let descriptor = unsafe mkstemp(&path)
        precondition(descriptor >= 0, "the real disk takes what the test writes")
        unsafe unlink(path)
        return descriptor
    }

    private func settle(_ number: Int) {
        guard var file = files[number] else { return }
        file.confirm()
        while let first = file.pending.first, first.certainty != .forgotten {
            replay(first.number, on: file.descriptor)
            file.pending.removeFirst()
        }
        files[number] = file
    }

    // MARK: Leaving a state

    /// Writes the files of one state.
    ///
    /// - Parameters:
    ///   - survival: Which unconfirmed writes are there.
    ///   - path: The database's file; what was there before is removed.
    ///   - random: Chooses among them.
    /// - Returns: Tells this state from others.
    func leave(
        _ survival: Survival, at path: String, using random: inout SplitMix
    ) -> Int {
        let chosen = choice(survival, &random)
        var names = self.names
        let nameCount =
            switch survival {
            case .none: 0
            case .all: pendingNames.count
            default: Int.random(in: 0...pendingNames.count, using: &random)
            }
        for name in pendingNames.prefix(nameCount) { names[name.role] = name.file }
        var hasher = Hasher()
        for role in FaultyDisk.Role.allCases {
            unsafe unlink(path + role.suffix)
            guard let number = names[role], let file = files[number] else { continue }
            hasher.combine(role)
            let target = unsafe open(path + role.suffix, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            precondition(target >= 0, "the real disk takes what the test writes")
            Self.copy(file.descriptor, to: target)
            for pending in file.pending {
                if pending.certainty == .confirmed {
                    replay(pending.number, on: target)
                } else if chosen.contains(pending.number) {
                    survival == .torn
                        ? tear(pending.number, on: target, &random)
                        : replay(pending.number, on: target)
                }
            }
            Self.digest(target, into: &hasher)
            close(target)
        }
        unsafe unlink(path + "-shm")
        return hasher.finalize()
    }

    private func choice(_ survival: Survival, _ random: inout SplitMix) -> Set<Int> {
        let open = files.values.flatMap(\.pending).filter { $0.certainty != .confirmed }
            .map(\.number).sorted()
        switch survival {
        case .none: return []
        case .all: return Set(open)
        case .first: return Set(open.prefix(Int.random(in: 0...open.count, using: &random)))
        case .last: return Set(open.suffix(Int.random(in: 0...open.count, using: &random)))
        case .wholeFiles:
            let lucky = files.keys.sorted().filter { _ in Bool.random(using: &random) }
            return Set(open.filter { lucky.contains(record[$0].file) })
        case .some, .torn:
            let chance = [0.1, 0.5, 0.9].randomElement(using: &random) ?? 0.5
            return Set(open.filter { _ in Double.random(in: 0..<1, using: &random) < chance })
        }
    }

    private func replay(_ number: Int, on descriptor: Int32) {
        guard case .write(_, let count) = record[number].kind else {
            return disk.replay(number, part: 0..<0, on: descriptor)
        }
        disk.replay(number, part: 0..<count, on: descriptor)
    }

    /// Leaves some sectors of a write.
    private func tear(_ number: Int, on descriptor: Int32, _ random: inout SplitMix) {
        guard case .write(let offset, let count) = record[number].kind else {
            return replay(number, on: descriptor)
        }
        var start = 0
        while start < count {
            let end = min(count, start + Self.sectorBytes - (offset + start) % Self.sectorBytes)
            if Bool.random(using: &random) {
                disk.replay(number, part: start..<end, on: descriptor)
            }
            start = end
        }
        // The file may have grown for what was not written: that reads as zeros.
        var info = stat()
        if Bool.random(using: &random), unsafe fstat(descriptor, &info) == 0,
            Int(info.st_size) < offset + count
        {
            ftruncate(descriptor, off_t(offset + count))
        }
    }

    private static func size(of descriptor: Int32) -> Int {
        var info = stat()
        let code = unsafe fstat(descriptor, &info)
        precondition(code == 0, "the file is open")
        return Int(info.st_size)
    }

    private static func copy(_ source: Int32, to target: Int32) {
        var offset: off_t = 0
        let size = size(of: source)
        while Int(offset) < size {
            let count = unsafe sendfile(target, source, &offset, size - Int(offset))
            precondition(count > 0, "the real disk takes what the test writes")
        }
    }

    private static func digest(_ descriptor: Int32, into hasher: inout Hasher) {
        let size = size(of: descriptor)
        hasher.combine(size)
        guard size > 0 else { return }
        let bytes = unsafe mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let bytes = unsafe bytes, unsafe bytes != MAP_FAILED else { return }
        unsafe hasher.combine(bytes: UnsafeRawBufferPointer(start: bytes, count: size))
        unsafe munmap(bytes, size)
    }
}
