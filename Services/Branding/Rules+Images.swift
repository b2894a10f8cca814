import ServiceKit

/// An image that may be a logo: what its own bytes say of it.
struct Image: Sendable, Hashable {
    static let bytesMax = 512 * 1_024
    static let sideMax = 2_048

    /// The formats that are taken; nothing that can carry a program, such as SVG.
    enum Format: String, Sendable {
        case png = "image/png"
        case jpeg = "image/jpeg"
    }

    let format: Format
    let width: Int
    let height: Int
    let bytes: [UInt8]

    /// - Throws: A fault when the bytes are no whole PNG or JPEG, or are too large.
    init(_ bytes: [UInt8], field: String) throws(FieldFault) {
        guard bytes.count <= Image.bytesMax else {
            throw FieldFault(
                field: field,
                sentence: "A logo may have at most \(Image.bytesMax / 1_024) KiB.")
        }
        let found: (format: Format, size: (width: Int, height: Int))?
        if let size = PNG.size(bytes) {
            found = (.png, size)
        } else if let size = JPEG.size(bytes) {
            found = (.jpeg, size)
        } else {
            found = nil
        }
        guard let found else {
            throw FieldFault(field: field, sentence: "A logo is a PNG or JPEG image.")
        }
        let sides = 1...Image.sideMax
        guard sides.contains(found.size.width), sides.contains(found.size.height) else {
            throw FieldFault(
                field: field,
                sentence: "A logo may have at most \(Image.sideMax) pixels a side.")
        }
        format = found.format
        width = found.size.width
        height = found.size.height
        self.bytes = bytes
    }
}

/// A PNG as a row of chunks, from its header to its end.
private enum PNG {
    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    static let headerBytes = 13

    /// Width and height; nil when the bytes are no whole PNG.
    static func size(_ bytes: [UInt8]) -> (width: Int, height: Int)? {
        guard bytes.starts(with: signature) else { return nil }
        var position = signature.count
        var size: (width: Int, height: Int)?
        var hasPixels = false
        while bytes.count - position >= 12 {
            let length = bytes.number(at: position, bytes: 4)
            let content = position + 8
            // Length, kind and check sum take twelve bytes beside the content.
            guard length <= bytes.count - position - 12 else { return nil }
            let kind = bytes[(position + 4)..<content]
            if size == nil {
                guard kind.elementsEqual("IHDR".utf8), length == headerBytes,
                    isLegalHeader(bytes[content..<(content + headerBytes)])
                else { return nil }
                size = (
                    bytes.number(at: content, bytes: 4), bytes.number(at: content + 4, bytes: 4)
                )
            } else if kind.elementsEqual("IDAT".utf8) {
                hasPixels = true
            }
            position = content + length + 4
            if kind.elementsEqual("IEND".utf8) {
                return hasPixels && position == bytes.count ? size : nil
            }
        }
        return nil
    }

    /// Whether depth, color, compression, filter and interlace are what the format knows.
    private static func isLegalHeader(_ header: ArraySlice<UInt8>) -> Bool {
        let rest = Array(header.dropFirst(8))
        let depths: [UInt8: Set<UInt8>] = [
            0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16],
        ]
        return depths[rest[1]]?.contains(rest[0]) == true && rest[2] == 0 && rest[3] == 0
            && rest[4] <= 1
    }
}

/// A JPEG as a row of segments, up to the first scan.
private enum JPEG {
    /// Width and height; nil when the bytes are no whole JPEG.
    static func size(_ bytes: [UInt8]) -> (width: Int, height: Int)? {
        guard bytes.starts(with: [0xFF, 0xD8, 0xFF]), bytes.suffix(2).elementsEqual([0xFF, 0xD9])
        else { return nil }
        var position = 2
        var size: (width: Int, height: Int)?
        while bytes.count - position >= 4, bytes[position] == 0xFF {
            let marker = bytes[position + 1]
            // Any number of fill bytes may stand before a marker.
            if marker == 0xFF {
                position += 1
                continue
            }
            let length = bytes.number(at: position + 2, bytes: 2)
            guard length >= 2, length <= bytes.count - position - 2 else { return nil }
            if marker == 0xDA { return size }
            if isFrame(marker) {
                guard length >= 8, size == nil else { return nil }
                size = (
                    bytes.number(at: position + 7, bytes: 2),
                    bytes.number(at: position + 5, bytes: 2)
                )
            }
            position += 2 + length
        }
        return nil
    }

    private static func isFrame(_ marker: UInt8) -> Bool {
        (0xC0...0xCF).contains(marker) && ![0xC4, 0xC8, 0xCC].contains(marker)
    }
}

extension [UInt8] {
    /// A number of so many bytes, the most significant first.
    fileprivate func number(at position: Int, bytes count: Int) -> Int {
        self[position..<(position + count)].reduce(0) { $0 << 8 | Int($1) }
    }
}

extension Image {
    /// The image in a request.
    ///
    /// - Throws: ``Refusal/invalid(_:)``.
    static func accepted(_ bytes: [UInt8], field: String) throws(Refusal) -> Image {
        do {
            return try Image(bytes, field: field)
        } catch {
            throw .invalid([error])
        }
    }
}
