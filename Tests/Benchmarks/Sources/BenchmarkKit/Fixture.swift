import SystemPackage

/// The bytes that every side of a comparison answers or decodes.
public enum Fixture {
    /// The whole file at a path.
    ///
    /// - Throws: When it cannot be read.
    public static func bytes(at path: String) throws -> [UInt8] {
        let file = try FileDescriptor.open(FilePath(path), .readOnly)
        return try file.closeAfter {
            let size = Int(try file.seek(offset: 0, from: .end))
            return try unsafe [UInt8](unsafeUninitializedCapacity: size) { memory, count in
                count = try unsafe file.read(
                    fromAbsoluteOffset: 0, into: UnsafeMutableRawBufferPointer(memory))
            }
        }
    }
}
