/// The current row of a query, as an engine shows it.
package protocol Cursor: AnyObject {
    /// The number of columns.
    var columnCount: Int { get }
    /// What a column holds; the index is in range.
    func kind(at index: Int) -> ColumnKind
    /// A whole number; the column holds one.
    func integer(at index: Int) -> Int64
    /// A number with a fraction; the column holds one.
    func real(at index: Int) -> Double
    /// Text; the column holds some.
    func text(at index: Int) -> String
    /// Bytes; the column holds some.
    func bytes(at index: Int) -> [UInt8]
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
        try expect(.integer, at: index)
        return cursor.integer(at: index)
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
        try expect(.real, at: index)
        return cursor.real(at: index)
    }

    /// Text.
    public func text(_ index: Int) throws -> String {
        try expect(.text, at: index)
        return cursor.text(at: index)
    }

    /// Bytes.
    public func bytes(_ index: Int) throws -> [UInt8] {
        try expect(.bytes, at: index)
        return cursor.bytes(at: index)
    }

    /// An instant of the wall clock.
    public func time(_ index: Int) throws -> WallTime { WallTime(microseconds: try int64(index)) }

    /// Whether the column holds no value.
    public func isNull(_ index: Int) throws -> Bool { try kind(at: index) == .null }

    /// A whole number, or nil.
    public func intOrNil(_ index: Int) throws -> Int? {
        try isNull(index) ? nil : try int(index)
    }

    /// A whole number, or nil.
    public func int64OrNil(_ index: Int) throws -> Int64? {
        try isNull(index) ? nil : try int64(index)
    }

    /// A number with a fraction, or nil.
    public func doubleOrNil(_ index: Int) throws -> Double? {
        try isNull(index) ? nil : try double(index)
    }

    /// Text, or nil.
    public func textOrNil(_ index: Int) throws -> String? {
        try isNull(index) ? nil : try text(index)
    }

    /// Bytes, or nil.
    public func bytesOrNil(_ index: Int) throws -> [UInt8]? {
        try isNull(index) ? nil : try bytes(index)
    }

    /// An instant of the wall clock, or nil.
    public func timeOrNil(_ index: Int) throws -> WallTime? {
        try isNull(index) ? nil : try time(index)
    }

    private func kind(at index: Int) throws -> ColumnKind {
        guard index >= 0, index < columnCount else {
            throw StorageFault.sql("there is no column \(index) of \(columnCount)")
        }
        return cursor.kind(at: index)
    }

    private func expect(_ expected: ColumnKind, at index: Int) throws {
        let found = try kind(at: index)
        guard found == expected else {
            throw StorageFault.sql("column \(index) holds \(found), not \(expected)")
        }
    }
}
