/// Images made by hand: whole as far as anybody looks who does not decode them.
enum Images {
    static func png(width: Int, height: Int, padding: Int = 0) -> [UInt8] {
        let header = big(width, 4) + big(height, 4) + [8, 6, 0, 0, 0]
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            + chunk("IHDR", header)
            + chunk("IDAT", [UInt8](repeating: 7, count: 10 + padding))
            + chunk("IEND", [])
    }

    static func jpeg(width: Int, height: Int, frame: UInt8 = 0xC0) -> [UInt8] {
        let size = [8] + big(height, 2) + big(width, 2)
        return [0xFF, 0xD8]
            + segment(0xE0, [UInt8]("JFIF\u{0}".utf8) + [1, 1, 0, 0, 1, 0, 1, 0, 0])
            + [0xFF]  // a fill byte
            + segment(0xDB, [UInt8](repeating: 1, count: 65))
            + segment(frame, size + [1, 1, 0x11, 0])
            + segment(0xDA, [1, 1, 0, 0, 63, 0]) + [1, 2, 3, 0xFF, 0xD9]
    }

    static func chunk(_ kind: String, _ content: [UInt8]) -> [UInt8] {
        big(content.count, 4) + [UInt8](kind.utf8) + content + [0, 0, 0, 0]
    }

    private static func segment(_ marker: UInt8, _ content: [UInt8]) -> [UInt8] {
        [0xFF, marker] + big(content.count + 2, 2) + content
    }

    private static func big(_ number: Int, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}
