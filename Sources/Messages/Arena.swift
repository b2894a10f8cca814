internal import CMessages
internal import CProtobufC

/// Memory for the C structs of one message, all given back when the closure of ``with(_:_:)`` ends.
///
/// It wraps the calling thread's arena in C; nothing in it outlives the closure.
@unsafe struct Arena {
    let arena: UnsafeMutablePointer<message_arena>

    /// Lends an arena that hands out a number of bytes at most.
    static func with<Result, Failure: Error>(
        bytesMax: Int, _ body: (Arena) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let arena = unsafe message_arena_take(bytesMax) else {
            preconditionFailure("out of memory")
        }
        defer { unsafe message_arena_give_back(arena) }
        return try unsafe body(Arena(arena: arena))
    }

    /// Whether memory was refused because the arena's bytes are spent.
    var isExhausted: Bool { unsafe arena.pointee.is_exhausted }

    /// Room for values, not initialized; only for arenas without a budget.
    func room<Value>(for count: Int, of type: Value.Type) -> UnsafeMutablePointer<Value> {
        let (byteCount, overflow) = count.multipliedReportingOverflow(
            by: MemoryLayout<Value>.stride)
        guard !overflow, let memory = unsafe message_arena_allocate(arena, byteCount) else {
            preconditionFailure("out of memory")
        }
        return unsafe memory.bindMemory(to: type, capacity: count)
    }
}

// MARK: Lowering: Swift values to C structs

extension Arena {
    /// A copy of a string's UTF-8.
    func text(_ string: String) -> ProtobufCBinaryData {
        let span = string.utf8Span.span
        guard !span.isEmpty else { return unsafe ProtobufCBinaryData() }
        return unsafe span.withUnsafeBufferPointer { unsafe copy($0) }
    }

    /// A copy of bytes.
    func bytes(_ bytes: [UInt8]) -> ProtobufCBinaryData {
        guard !bytes.isEmpty else { return unsafe ProtobufCBinaryData() }
        return unsafe bytes.withUnsafeBufferPointer { unsafe copy($0) }
    }

    private func copy(_ source: UnsafeBufferPointer<UInt8>) -> ProtobufCBinaryData {
        let memory = unsafe room(for: source.count, of: UInt8.self)
        unsafe UnsafeMutableBufferPointer(start: memory, count: source.count)
            .baseAddress?.update(
                from: source.baseAddress ?? UnsafePointer(memory), count: source.count)
        return unsafe ProtobufCBinaryData(len: source.count, data: memory)
    }

    /// The C struct of a message.
    func message<Value: Bridged>(_ value: Value) -> UnsafeMutablePointer<Value.Lowered> {
        let lowered = unsafe room(for: 1, of: Value.Lowered.self)
        unsafe value.lower(into: lowered, self)
        return unsafe lowered
    }

    /// The C structs of messages behind an array of pointers.
    func messages<Value: Bridged>(
        _ values: [Value]
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<Value.Lowered>?>? {
        guard !values.isEmpty else { return nil }
        let lowered = unsafe room(for: values.count, of: Value.Lowered.self)
        let pointers = unsafe room(
            for: values.count, of: UnsafeMutablePointer<Value.Lowered>?.self)
        // Through a span, so that no element is copied, which would count references up and down.
        let elements = values.span
        for index in elements.indices {
            unsafe elements[index].lower(into: lowered + index, self)
            unsafe (pointers + index).initialize(to: lowered + index)
        }
        return unsafe pointers
    }

    /// A C array with what a closure makes of each value.
    func array<Value, Lowered>(
        _ values: [Value], _ lower: (Value) -> Lowered
    ) -> UnsafeMutablePointer<Lowered>? {
        guard !values.isEmpty else { return nil }
        let array = unsafe room(for: values.count, of: Lowered.self)
        for index in values.indices {
            unsafe (array + index).initialize(to: lower(values[index]))
        }
        return unsafe array
    }

    /// The C structs of a map's entries, filled by a closure, in the order of their keys.
    ///
    /// The order makes equal values encode to equal bytes.
    func entries<Key: Comparable, Value, Entry>(
        _ map: [Key: Value], _ fill: (UnsafeMutablePointer<Entry>, Key, Value) -> Void
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<Entry>?>? {
        guard !map.isEmpty else { return nil }
        return unsafe entries(ordered: map.sorted { $0.key < $1.key }, fill)
    }

    /// The same for a map whose keys are truth values: false comes first.
    func entries<Value, Entry>(
        _ map: [Bool: Value], _ fill: (UnsafeMutablePointer<Entry>, Bool, Value) -> Void
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<Entry>?>? {
        guard !map.isEmpty else { return nil }
        return unsafe entries(ordered: map.sorted { !$0.key && $1.key }, fill)
    }

    private func entries<Key, Value, Entry>(
        ordered elements: [(key: Key, value: Value)],
        _ fill: (UnsafeMutablePointer<Entry>, Key, Value) -> Void
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<Entry>?>? {
        let entries = unsafe room(for: elements.count, of: Entry.self)
        let pointers = unsafe room(for: elements.count, of: UnsafeMutablePointer<Entry>?.self)
        for (index, element) in elements.enumerated() {
            unsafe fill(entries + index, element.key, element.value)
            unsafe (pointers + index).initialize(to: entries + index)
        }
        return unsafe pointers
    }
}
