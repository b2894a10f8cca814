import CZip

/// A zip archive in memory, of which single entries are inflated; only for one thread.
@safe final class ZipArchive {
    /// How much is inflated at a time, in bytes.
    private static let pieceBytes = 64 * 1024

    private let archive: OpaquePointer
    private let piece: UnsafeMutableRawBufferPointer
    private let limits: SpreadsheetLimits
    /// The bytes inflated so far, of all entries.
    private var inflatedBytes = 0

    /// Opens an archive; the bytes must stay where they are while it lives.
    init(_ bytes: UnsafeRawBufferPointer, limits: SpreadsheetLimits) throws(SpreadsheetFault) {
        self.limits = limits
        var error = unsafe zip_error_t()
        guard
            let source = unsafe zip_source_buffer_create(
                bytes.baseAddress, UInt64(bytes.count), 0, &error)
        else { throw Self.cut }
        guard let archive = unsafe zip_open_from_source(source, ZIP_RDONLY, &error) else {
            unsafe zip_source_free(source)
            throw Self.cut
        }
        unsafe self.archive = archive
        unsafe piece = .allocate(byteCount: Self.pieceBytes, alignment: 16)
        try check(byteCount: bytes.count)
    }

    deinit {
        unsafe zip_discard(archive)
        unsafe piece.deallocate()
    }

    private static let cut = SpreadsheetFault.damaged("it is cut off, or not a whole archive.")

    /// Refuses archives that no spreadsheet program writes: thousands of entries, or entries that
    /// share their bytes to be larger than they are.
    private func check(byteCount: Int) throws(SpreadsheetFault) {
        let count = unsafe zip_get_num_entries(archive, 0)
        guard count <= limits.entriesMax else {
            throw SpreadsheetFault(
                .tooComplex, "The file has \(count) parts, more than \(limits.entriesMax).")
        }
        var deflatedBytes: UInt64 = 0
        for index in 0..<max(count, 0) {
            var facts = unsafe zip_stat_t()
            guard unsafe zip_stat_index(archive, UInt64(index), 0, &facts) == 0 else {
                throw Self.cut
            }
            let (sum, overflow) = unsafe deflatedBytes.addingReportingOverflow(facts.comp_size)
            guard !overflow, sum <= UInt64(byteCount) else {
                throw SpreadsheetFault.damaged("its parts overlap.")
            }
            deflatedBytes = sum
        }
    }

    /// Whether there is an entry of a name, in letters of either case.
    func contains(_ name: String) -> Bool { index(of: name) != nil }

    private func index(of name: String) -> UInt64? {
        guard !name.utf8.contains(0) else { return nil }
        let index = unsafe zip_name_locate(archive, name, UInt32(ZIP_FL_NOCASE))
        return index < 0 ? nil : UInt64(index)
    }

    /// Inflates an entry and hands it over in pieces.
    func read(
        _ name: String,
        _ take: (UnsafeRawBufferPointer) throws(SpreadsheetFault) -> Void
    ) throws(SpreadsheetFault) {
        guard let index = index(of: name) else {
            throw SpreadsheetFault.damaged("its part \(name) is missing.")
        }
        var facts = unsafe zip_stat_t()
        guard unsafe zip_stat_index(archive, index, 0, &facts) == 0 else { throw Self.cut }
        guard unsafe facts.encryption_method == UInt16(ZIP_EM_NONE) else {
            throw SpreadsheetFault.encrypted
        }
        let methods = [UInt16(ZIP_CM_STORE), UInt16(ZIP_CM_DEFLATE)]
        guard unsafe methods.contains(facts.comp_method) else {
            throw SpreadsheetFault.damaged("its part \(name) is packed in an unknown way.")
        }
        guard let entry = unsafe zip_fopen_index(archive, index, 0) else { throw Self.cut }
        defer { unsafe zip_fclose(entry) }
        while true {
            let count = unsafe zip_fread(
                entry, piece.baseAddress.unsafelyUnwrapped, UInt64(piece.count))
            guard count >= 0 else {
                throw SpreadsheetFault.damaged("its part \(name) does not hold what it says.")
            }
            guard count > 0 else { return }
            inflatedBytes += Int(count)
            guard inflatedBytes <= limits.inflatedBytesMax else {
                throw SpreadsheetFault.contentsTooLarge(limits)
            }
            try unsafe take(UnsafeRawBufferPointer(rebasing: piece[..<Int(count)]))
        }
    }
}
