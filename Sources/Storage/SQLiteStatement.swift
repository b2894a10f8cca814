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

    init(handle: OpaquePointer) {
        unsafe self.handle = handle
        isReadOnly = unsafe sqlite3_stmt_readonly(handle) != 0
        columnCount = unsafe Int(sqlite3_column_count(handle))
    }

    deinit {
        unsafe sqlite3_finalize(handle)
    }

    /// Binds the values in order; answers an SQLite result code.
    func bind(_ values: [SQLValue]) -> Int32 {
        for index in values.indices {
            let code = bind(values[index], at: Int32(index) + 1)
            guard code == SQLITE_OK else { return code }
        }
        return SQLITE_OK
    }

    private func bind(_ value: SQLValue, at index: Int32) -> Int32 {
        switch value {
        case .null:
            return unsafe sqlite3_bind_null(handle, index)
        case .integer(let number):
            return unsafe sqlite3_bind_int64(handle, index, number)
        case .real(let number):
            return unsafe sqlite3_bind_double(handle, index, number)
        case .text(var text):
            return text.withUTF8 { bytes in
                // An empty text has no address, which would mean NULL.
                guard let start = bytes.baseAddress else {
                    return unsafe storage_sqlite3_bind_text(handle, index, "", 0)
                }
                return unsafe storage_sqlite3_bind_text(handle, index, start, UInt64(bytes.count))
            }
        case .blob(let blob):
            return unsafe blob.withUnsafeBytes { bytes in
                guard let start = bytes.baseAddress else {
                    return unsafe sqlite3_bind_zeroblob(handle, index, 0)
                }
                return unsafe storage_sqlite3_bind_bytes(handle, index, start, UInt64(bytes.count))
            }
        }
    }

    /// Moves to the next row; answers an SQLite result code.
    func step() -> Int32 {
        unsafe sqlite3_step(handle)
    }

    /// Leaves the row and forgets the values.
    func reset() {
        unsafe sqlite3_reset(handle)
        unsafe sqlite3_clear_bindings(handle)
    }

    func kind(at index: Int) -> ColumnKind {
        switch unsafe sqlite3_column_type(handle, Int32(index)) {
        case SQLITE_INTEGER: .integer
        case SQLITE_FLOAT: .real
        case SQLITE_TEXT: .text
        case SQLITE_BLOB: .bytes
        default: .null
        }
    }

    func integer(at index: Int) -> Int64 {
        unsafe sqlite3_column_int64(handle, Int32(index))
    }

    func real(at index: Int) -> Double {
        unsafe sqlite3_column_double(handle, Int32(index))
    }

    func text(at index: Int) -> String {
        guard let start = unsafe sqlite3_column_text(handle, Int32(index)) else { return "" }
        let count = unsafe Int(sqlite3_column_bytes(handle, Int32(index)))
        return unsafe String(
            decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func bytes(at index: Int) -> [UInt8] {
        guard let start = unsafe sqlite3_column_blob(handle, Int32(index)) else { return [] }
        let count = unsafe Int(sqlite3_column_bytes(handle, Int32(index)))
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }
}
