import Foundation
import Messages
import TestSupport

/// Makes random values, often those at the ends of their ranges; the seed decides on all.
struct RandomMaker: RandomNumberGenerator {
    private var numbers: SplitMix
    /// Whether numbers may be NaN, which is not equal to itself.
    var makesNaN = true

    init(seed: UInt64) {
        numbers = SplitMix(seed: seed)
    }

    mutating func next() -> UInt64 { numbers.next() }

    mutating func index(below count: Int) -> Int {
        Int(truncatingIfNeeded: next() % UInt64(count))
    }

    mutating func chance(_ percent: Int) -> Bool {
        index(below: 100) < percent
    }

    mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) -> Value {
        let extremes: [Value] = [0, 1, .max, .min, 127, .max / 2, .min &+ 1, ~0]
        guard !chance(30) else { return extremes[index(below: extremes.count)] }
        // Every length in bits is as likely as the others.
        return Value(truncatingIfNeeded: next()) >> index(below: Value.bitWidth)
    }

    mutating func double() -> Double {
        let nan: Double = makesNaN ? .nan : 2
        let extremes: [Double] = [
            0, -0.0, 1, -1.5, .leastNonzeroMagnitude, .leastNormalMagnitude,
            .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .infinity, -.infinity, nan,
        ]
        guard !chance(50) else { return extremes[index(below: extremes.count)] }
        let value = Double(bitPattern: next())
        return value.isNaN ? nan : value
    }

    mutating func float() -> Float {
        let nan: Float = makesNaN ? .nan : 2
        let extremes: [Float] = [
            0, -0.0, 1, -1.5, .leastNonzeroMagnitude, .leastNormalMagnitude,
            .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .infinity, -.infinity, nan,
        ]
        guard !chance(50) else { return extremes[index(below: extremes.count)] }
        let value = Float(bitPattern: integer())
        return value.isNaN ? nan : value
    }

    mutating func text() -> String {
        let samples = [
            "", "a", "Grüße", "学校", "🏫", "👩🏽‍🏫", "e\u{301}", "\u{e9}", "\u{1}\u{7f}", "\r\n",
            "\u{800}", "\u{ffff}", "\u{feff}", "\u{10000}", "\u{10ffff}", "\u{d7ff}\u{e000}",
            String(repeating: "a", count: 127), String(repeating: "b", count: 128),
        ]
        guard !chance(1) else { return String(repeating: "ß", count: index(below: 9_000)) }
        guard !chance(30) else { return samples[index(below: samples.count)] }
        var scalars = String.UnicodeScalarView()
        for _ in 0..<index(below: 12) { scalars.append(scalar()) }
        return String(scalars)
    }

    /// Any scalar but NUL, which is refused.
    private mutating func scalar() -> Unicode.Scalar {
        let tops: [UInt32] = [0x7f, 0x7ff, 0xffff, 0x10_ffff]
        let value = 1 + UInt32(truncatingIfNeeded: next()) % tops[index(below: tops.count)]
        return Unicode.Scalar(value) ?? "A"
    }

    /// A text that is composed in one way only: Swift holds others for the same key.
    mutating func key() -> String {
        text().precomposedStringWithCanonicalMapping
    }

    mutating func data() -> [UInt8] {
        guard !chance(1) else { return [UInt8](repeating: 0x80, count: index(below: 20_000)) }
        return (0..<index(below: 16)).map { _ in integer() }
    }

    mutating func bool() -> Bool {
        chance(50)
    }

    mutating func color() -> Color {
        let declared: [Color] = [.unspecified, .red, .deepBlue, .negative, .high]
        return chance(70) ? declared[index(below: declared.count)] : Color(rawValue: integer())
    }

    /// A value that is there with a probability.
    mutating func maybe<Value>(
        _ percent: Int, _ make: (inout RandomMaker) -> Value
    ) -> Value? {
        chance(percent) ? make(&self) : nil
    }

    /// Some values, if there are any.
    mutating func list<Value>(
        _ percent: Int, _ make: (inout RandomMaker) -> Value
    ) -> [Value] {
        guard chance(percent) else { return [] }
        return (0...index(below: 4)).map { _ in make(&self) }
    }

    /// A map of some entries, if there are any.
    mutating func map<Key: Hashable, Value>(
        _ percent: Int, _ key: (inout RandomMaker) -> Key, _ value: (inout RandomMaker) -> Value
    ) -> [Key: Value] {
        let pairs = list(percent) { (key(&$0), value(&$0)) }
        return Dictionary(pairs) { _, last in last }
    }
}
