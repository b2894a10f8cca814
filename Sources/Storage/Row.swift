/// The current row of a query, as an engine shows it.
package protocol Cursor: AnyObject {
    /// The number of columns.
    var columnCount: Int { get }
    /// What a column holds; the index is in range, here and below.
    func kind(at index: Int) -> ColumnKind
    /// The whole number in a column.
    func integer(at index: Int) -> ColumnValue<Int64>
    /// The number with a fraction in a column.
    func real(at index: Int) -> ColumnValue<Double>
    /// The text in a column.
    func text(at index: Int) -> ColumnValue<String>
    /// The bytes in a column.
    func bytes(at index: Int) -> ColumnValue<[UInt8]>
}

/// What a column answers that is asked for a value of some type.
package enum ColumnValue<Value> {
    /// Its value.
    case value(Value)
    /// It holds none.
    case null
    /// It holds a value of another type.
    case other
}

/// What a column of a row holds.
package enum ColumnKind: Sendable, Hashable {
    case integer
    case real
    case text
    case bytes
    case null
}

/// One row of a query, valid inside the closure that it is handed to.
///
/// Columns count from 0 in the order of the SELECT. A column that holds another type than the
/// one asked for throws ``StorageFault/sql(_:)``.
public struct Row {
    let cursor: any Cursor
    private let columnCount: Int

    init(cursor: any Cursor) {
        self.cursor = cursor
        columnCount = cursor.columnCount
    }

    /// A whole number.
    public func int(_ index: Int) throws -> Int { Int(try int64(index)) }

    /// A whole number.
    public func int64(_ index: Int) throws -> Int64 {
        try value(cursor.integer(at: try known(index)), .integer, at: index)
    }

    /// 0 or 1.
    public func bool(_ index: Int) throws -> Bool {
        switch try int64(index) {
        case 0: false
        case 1: true
        case let other: throw StorageFault.sql("column \(index) holds \(other), not 0 or 1")
        }
    }

    /// A number with a fraction.
    public func double(_ index: Int) throws -> Double {
        try value(cursor.real(at: try known(index)), .real, at: index)
    }

    /// Text.
    public func text(_ index: Int) throws -> String {
        try value(cursor.text(at: try known(index)), .text, at: index)
    }

    /// Bytes.
    public func bytes(_ index: Int) throws -> [UInt8] {
        try value(cursor.bytes(at: try known(index)), .bytes, at: index)
    }

    /// An instant of the wall clock.
    public func time(_ index: Int) throws -> WallTime { WallTime(microseconds: try int64(index)) }

    /// Whether the column holds no value.
    public func isNull(_ index: Int) throws -> Bool { cursor.kind(at: try known(index)) == .null }

    /// A whole number, or nil.
    public func intOrNil(_ index: Int) throws -> Int? {
        try int64OrNil(index).map { Int($0) }
    }

    /// A whole number, or nil.
    public func int64OrNil(_ index: Int) throws -> Int64? {
        try valueOrNil(cursor.integer(at: try known(index)), .integer, at: index)
    }

    /// A number with a fraction, or nil.
    public func doubleOrNil(_ index: Int) throws -> Double? {
        try valueOrNil(cursor.real(at: try known(index)), .real, at: index)
    }

    /// Text, or nil.
    public func textOrNil(_ index: Int) throws -> String? {
        try valueOrNil(cursor.text(at: try known(index)), .text, at: index)
    }

    /// Bytes, or nil.
    public func bytesOrNil(_ index: Int) throws -> [UInt8]? {
        try valueOrNil(cursor.bytes(at: try known(index)), .bytes, at: index)
    }

    /// An instant of the wall clock, or nil.
    public func timeOrNil(_ index: Int) throws -> WallTime? {
        try int64OrNil(index).map { WallTime(microseconds: $0) }
    }

    /// The index, if there is such a column.
    private func known(_ index: Int) throws -> Int {
        guard index >= 0, index < columnCount else {
            throw StorageFault.sql("there is no column \(index) of \(columnCount)")
        }
        return index
    }

    private func value<Value>(
        _ found: ColumnValue<Value>, _ expected: ColumnKind, at index: Int
    ) throws -> Value {
        guard case .value(let value) = found else { throw mismatch(expected, at: index) }
        return value
    }

    private func valueOrNil<Value>(
        _ found: ColumnValue<Value>, _ expected: ColumnKind, at index: Int
    ) throws -> Value? {
        switch found {
        case .value(let value): return value
        case .null: return nil
        case .other: throw mismatch(expected, at: index)
        }
    }

    private func mismatch(_ expected: ColumnKind, at index: Int) -> StorageFault {
        .sql("column \(index) holds \(cursor.kind(at: index)), not \(expected)")
    }
}
