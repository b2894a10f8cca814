internal import CSQLite

/// A prepared statement of one connection.
@safe final class SQLiteStatement: Cursor {
    let isReadOnly: Bool
    let columnCount: Int
    /// While true, the statement stands on a row; a second user needs one of its own.
    var isInUse = false
    /// When it was used last, in uses of the connection.
    var lastUse: UInt64 = 0
    private let handle: OpaquePointer
    /// The bound texts and bytes, one after the other: SQLite reads them there and copies none.
    private var bound = UnsafeMutableRawBufferPointer.allocate(
        byteCount: SQLiteStatement.boundBytes, alignment: 1)
    /// The room that a statement begins with; never none, as bytes without an address are NULL.
    private static let boundBytes = 256
    /// Longer values are kept no longer than a statement needs them.
    private static let boundBytesKept = 4 * 1_024

    init(handle: OpaquePointer) {
        unsafe self.handle = handle
        isReadOnly = unsafe sqlite3_stmt_readonly(handle) != 0
        columnCount = unsafe Int(sqlite3_column_count(handle))
    }

    deinit {
        unsafe sqlite3_finalize(handle)
        unsafe bound.deallocate()
    }

    /// Binds the values in order; answers an SQLite result code.
    func bind(_ values: [SQLValue]) -> Int32 {
        makeRoom(for: values)
        var used = 0
        for index in values.indices {
            let code = bind(values[index], at: Int32(index) + 1, &used)
            guard code == SQLITE_OK else { return code }
        }
        return SQLITE_OK
    }

    private func makeRoom(for values: [SQLValue]) {
        var needed = 0
        for value in values {
            switch value {
            case .text(let text): needed += text.utf8.count
            case .blob(let blob): needed += blob.count
            case .null, .integer, .real: continue
            }
        }
        guard unsafe needed > bound.count else { return }
        makeRoom(needed)
    }

    private func makeRoom(_ bytes: Int) {
        // Nothing may be bound to what is given back.
        unsafe sqlite3_clear_bindings(handle)
        unsafe bound.deallocate()
        unsafe bound = .allocate(byteCount: bytes, alignment: 1)
    }

    /// Copies bytes to where they stay until the statement is used again.
    private func keep(
        _ bytes: UnsafeRawBufferPointer, _ used: inout Int
    ) -> UnsafePointer<CChar>? {
        let place = unsafe UnsafeMutableRawBufferPointer(rebasing: bound[used...])
        unsafe place.copyMemory(from: bytes)
        used += bytes.count
        return unsafe UnsafePointer(place.baseAddress?.assumingMemoryBound(to: CChar.self))
    }

    private func bind(_ value: SQLValue, at index: Int32, _ used: inout Int) -> Int32 {
        switch value {
        case .null:
            return unsafe sqlite3_bind_null(handle, index)
        case .integer(let number):
            return unsafe sqlite3_bind_int64(handle, index, number)
        case .real(let number):
            return unsafe sqlite3_bind_double(handle, index, number)
        case .text(var text):
            return text.withUTF8 { bytes in
                let start = unsafe keep(UnsafeRawBufferPointer(bytes), &used)
                return unsafe sqlite3_bind_text64(
                    handle, index, start, UInt64(bytes.count), nil, UInt8(SQLITE_UTF8))
            }
        case .blob(let blob):
            return unsafe blob.withUnsafeBytes { bytes in
                let start = unsafe keep(bytes, &used)
                return unsafe sqlite3_bind_blob64(handle, index, start, UInt64(bytes.count), nil)
            }
        }
    }

    /// Moves to the next row; answers an SQLite result code.
    func step() -> Int32 {
        unsafe sqlite3_step(handle)
    }

    /// Leaves the row; the next use binds values anew.
    func reset() {
        unsafe sqlite3_reset(handle)
        if unsafe bound.count > Self.boundBytesKept { makeRoom(Self.boundBytes) }
    }

    func kind(at index: Int) -> ColumnKind {
        switch unsafe sqlite3_value_type(value(at: index)) {
        case SQLITE_INTEGER: .integer
        case SQLITE_FLOAT: .real
        case SQLITE_TEXT: .text
        case SQLITE_BLOB: .bytes
        default: .null
        }
    }

    // A value is looked up once and then asked: each call that names a column looks it up anew.
    // No other thread uses the connection meanwhile, so that what is found stays as it is.

    func integer(at index: Int) -> ColumnValue<Int64> {
        let value = unsafe value(at: index)
        switch unsafe sqlite3_value_type(value) {
        case SQLITE_INTEGER: return unsafe .value(sqlite3_value_int64(value))
        case SQLITE_NULL: return .null
        default: return .other
        }
    }

    func real(at index: Int) -> ColumnValue<Double> {
        let value = unsafe value(at: index)
        switch unsafe sqlite3_value_type(value) {
        case SQLITE_FLOAT: return unsafe .value(sqlite3_value_double(value))
        case SQLITE_NULL: return .null
        default: return .other
        }
    }

    func text(at index: Int) -> ColumnValue<String> {
        let value = unsafe value(at: index)
        switch unsafe sqlite3_value_type(value) {
        case SQLITE_TEXT: return unsafe .value(Self.text(of: value))
        case SQLITE_NULL: return .null
        default: return .other
        }
    }

    func bytes(at index: Int) -> ColumnValue<[UInt8]> {
        let value = unsafe value(at: index)
        switch unsafe sqlite3_value_type(value) {
        case SQLITE_BLOB: return unsafe .value(Self.bytes(of: value))
        case SQLITE_NULL: return .null
        default: return .other
        }
    }

    private static func text(of value: OpaquePointer?) -> String {
        guard let start = unsafe sqlite3_value_text(value) else { return "" }
        let count = unsafe Int(sqlite3_value_bytes(value))
        return unsafe String(
            decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    private static func bytes(of value: OpaquePointer?) -> [UInt8] {
        guard let start = unsafe sqlite3_value_blob(value) else { return [] }
        let count = unsafe Int(sqlite3_value_bytes(value))
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    private func value(at index: Int) -> OpaquePointer? {
        unsafe sqlite3_column_value(handle, Int32(index))
    }
}
