import Glibc

/// What a process that reads or writes a file cannot do any more.
enum Restraint {
    private static let descriptorsMax = 16
    /// The time between the signal that ends the process and the kill, in processor seconds.
    private static let graceSeconds = 1

    static func apply(_ limits: SpreadsheetLimits, for job: SpreadsheetProcess.Job) {
        _ = clearenv()
        signal(SIGPIPE, SIG_DFL)
        let seconds: Int
        let fileBytes: Int
        switch job {
        case .read: (seconds, fileBytes) = (limits.readingProcessorSecondsMax, 0)
        case .write:
            (seconds, fileBytes) = (limits.writingProcessorSecondsMax, limits.writtenBytesMax)
        }
        limit(RLIMIT_CPU, to: seconds, hard: seconds + graceSeconds)
        limit(RLIMIT_DATA, to: limits.memoryBytesMax)
        limit(RLIMIT_FSIZE, to: fileBytes)
        limit(RLIMIT_NOFILE, to: descriptorsMax)
        limit(RLIMIT_CORE, to: 0)
    }

    private static func limit(_ resource: __rlimit_resource, to soft: Int, hard: Int? = nil) {
        var limit = rlimit(rlim_cur: rlim_t(soft), rlim_max: rlim_t(hard ?? soft))
        guard unsafe setrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else {
            preconditionFailure("lowering a limit of one's own is always allowed")
        }
    }
}

/// The bytes that the process is given.
enum StandardInput {
    private static let pieceBytes = 64 * 1024

    /// All bytes, but no more than so many.
    static func all(upTo byteCountMax: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        // Memory that is not written to costs nothing; growing would, for a while, cost double.
        bytes.reserveCapacity(byteCountMax + pieceBytes)
        while bytes.count < byteCountMax {
            let piece = Self.piece()
            guard !piece.isEmpty else { break }
            bytes.append(contentsOf: piece)
        }
        return bytes
    }

    /// The next bytes; none at the end.
    static func piece() -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: pieceBytes) { room, count in
            repeat {
                count = max(unsafe Glibc.read(STDIN_FILENO, room.baseAddress, room.count), -1)
            } while count < 0 && errno == EINTR
            count = max(count, 0)
        }
    }
}

/// The frames that the process is given.
struct FrameInput {
    private var frames = FrameAssembler()

    /// The next frame; nil where they end or are malformed.
    mutating func next() -> Frame? {
        while true {
            do throws(MalformedFrame) {
                if let frame = try frames.next() { return frame }
            } catch {
                return nil
            }
            let piece = StandardInput.piece()
            guard !piece.isEmpty else { return nil }
            frames.append(piece)
        }
    }

    /// The next rows; nil after the last.
    mutating func nextRows() throws(SpreadsheetFault) -> [SpreadsheetRow]? {
        guard var frame = next() else { throw SpreadsheetFault.unavailable }
        switch frame.kind {
        case .end: return nil
        case .rows:
            guard let rows = try? frame.contents.rows() else { throw SpreadsheetFault.unavailable }
            return rows
        default: throw SpreadsheetFault.unavailable
        }
    }
}

/// Where the process sends its frames.
struct FrameOutput {
    /// Sends a frame; waits while the other side does not take it, and ends if it is gone.
    func send(_ frame: [UInt8]) {
        var sent = 0
        while sent < frame.count {
            let count = unsafe frame.withUnsafeBytes { bytes in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[sent...])
                return unsafe Glibc.write(STDOUT_FILENO, rest.baseAddress, rest.count)
            }
            if count > 0 {
                sent += count
            } else if errno != EINTR {
                exit(1)
            }
        }
    }

    func send(bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        send(Frame.encode(.bytes) { $0.append(bytes) })
    }
}

/// A file without a name, gone with the process.
final class TemporaryFile {
    private static let pieceBytes = 64 * 1024
    private let descriptor: Int32
    private var offset = 0

    init(in folder: String) throws(SpreadsheetFault) {
        var template = Array("\(folder)/spreadsheet-XXXXXX".utf8CString)
        descriptor = unsafe template.withUnsafeMutableBufferPointer { template in
            guard let path = template.baseAddress else { return -1 }
            let descriptor = unsafe mkstemp(path)
            if descriptor >= 0 { unsafe unlink(path) }
            return descriptor
        }
        guard descriptor >= 0 else { throw SpreadsheetFault.unavailable }
    }

    deinit {
        close(descriptor)
    }

    /// A path under which the file is opened once more.
    var path: String { "/proc/self/fd/\(descriptor)" }

    /// The next bytes from the start on; nil after the last.
    func next() throws(SpreadsheetFault) -> [UInt8]? {
        var isBroken = false
        let piece = unsafe [UInt8](unsafeUninitializedCapacity: Self.pieceBytes) { room, count in
            let taken = unsafe pread(descriptor, room.baseAddress, room.count, off_t(offset))
            isBroken = taken < 0
            count = max(taken, 0)
        }
        guard !isBroken else { throw SpreadsheetFault.unavailable }
        offset += piece.count
        return piece.isEmpty ? nil : piece
    }
}
