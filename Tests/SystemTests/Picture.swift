import Foundation

/// Images that a client might upload.
enum Picture {
    /// A PNG of noise, far larger than an ordinary request.
    static let png = PNG(side: 300).data
}

/// A square picture of noise, which no compression makes smaller.
private struct PNG {
    private(set) var data = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])

    init(side: Int) {
        // 8 bits, RGB; no filter in any row.
        append("IHDR", bigEndian(side) + bigEndian(side) + [8, 2, 0, 0, 0])
        var pixels: [UInt8] = []
        var noise: UInt32 = 1
        for _ in 0..<side {
            pixels.append(0)
            for _ in 0..<(3 * side) {
                noise = noise &* 1_664_525 &+ 1_013_904_223
                pixels.append(UInt8(truncatingIfNeeded: noise >> 24))
            }
        }
        append("IDAT", stored(pixels))
        append("IEND", [])
    }

    private mutating func append(_ kind: String, _ content: [UInt8]) {
        let named = Array(kind.utf8) + content
        data += bigEndian(content.count) + named + bigEndian(Int(checksum(named)))
    }

    private func bigEndian(_ value: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }

    /// The zlib format of RFC 1950 with blocks that are not compressed.
    private func stored(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = [0x78, 0x01]
        for start in stride(from: 0, to: bytes.count, by: 65_535) {
            let block = bytes[start..<min(start + 65_535, bytes.count)]
            let count = UInt16(block.count)
            result.append(start + block.count == bytes.count ? 1 : 0)
            for half in [count, ~count] {
                result += [UInt8(truncatingIfNeeded: half), UInt8(half >> 8)]
            }
            result += block
        }
        var (low, high) = (1, 0)
        for byte in bytes {
            low = (low + Int(byte)) % 65_521
            high = (high + low) % 65_521
        }
        return result + bigEndian(high << 16 | low)
    }

    /// The CRC-32 of ISO 3309.
    private func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { checksum, byte in
            (0..<8).reduce(checksum ^ UInt32(byte)) { rest, _ in
                rest & 1 == 1 ? (rest >> 1) ^ 0xEDB8_8320 : rest >> 1
            }
        }
    }
}
