/// What belongs to the calls in flight on a connection, by call number.
///
/// Numbers rise by two, so that their halves fall into different places of a small table: finding
/// one is one step. An idle connection holds no memory for it.
struct CallTable<Value> {
    private static var capacityMin: Int { 8 }

    private var keys: [UInt32] = []
    private var values: [Value?] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// What belongs to a call; nil when it is not in flight.
    subscript(call: UInt32) -> Value? {
        guard let place = place(of: call), keys[place] == call else { return nil }
        return values[place]
    }

    /// Adds a call, or replaces what belongs to it.
    mutating func insert(_ value: Value, for call: UInt32) {
        precondition(call != 0, "0 is no call")
        if 2 * (count + 1) > keys.count { grow() }
        guard let place = place(of: call) else { return }
        if keys[place] == 0 { count += 1 }
        keys[place] = call
        values[place] = value
    }

    /// Removes a call.
    @discardableResult
    mutating func remove(_ call: UInt32) -> Value? {
        guard var hole = place(of: call), keys[hole] == call else { return nil }
        let removed = values[hole]
        count -= 1
        if count == 0, keys.count > Self.capacityMin * 8 {
            self = CallTable()
            return removed
        }
        // Those that were pushed on by the removed one move back, so that a search may stop at the
        // first free place.
        let mask = keys.count - 1
        var next = (hole + 1) & mask
        while keys[next] != 0 {
            let home = Int(keys[next] >> 1) & mask
            if (next - home) & mask >= (next - hole) & mask {
                keys[hole] = keys[next]
                values[hole] = values[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        keys[hole] = 0
        values[hole] = nil
        return removed
    }

    /// Everything in flight, in no order.
    var all: [(call: UInt32, value: Value)] {
        zip(keys, values).compactMap { key, value in value.map { (key, $0) } }
    }

    /// Where a call is, or else where it would be; nil without any memory.
    private func place(of call: UInt32) -> Int? {
        guard !keys.isEmpty else { return nil }
        let mask = keys.count - 1
        var place = Int(call >> 1) & mask
        while keys[place] != 0, keys[place] != call { place = (place + 1) & mask }
        return place
    }

    private mutating func grow() {
        let old = all
        let capacity = max(Self.capacityMin, 2 * keys.count)
        keys = Array(repeating: 0, count: capacity)
        values = Array(repeating: nil, count: capacity)
        count = 0
        for (call, value) in old { insert(value, for: call) }
    }
}
