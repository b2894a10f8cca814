import Subprocess

/// Gives the rows of a file to the process that writes it.
struct Feeder {
    let writer: StandardInputWriter
    let feeding: Feeding

    /// Gives everything; what fails is noted, for the process's end to be explained by it.
    func feed<Rows: AsyncSequence>(
        _ rows: Rows, below sheet: SpreadsheetSheet, as format: SpreadsheetFormat
    ) async where Rows.Element == [[Cell]] {
        do {
            guard try await send(Frame.encode(.sheet, { $0.write(sheet, as: format) })) else {
                return
            }
            var rows = rows.makeAsyncIterator()
            while let batch = try await next(&rows) {
                guard try await send(batch) else { return }
            }
            _ = try await send(Frame.encode(.end))
        } catch is SubprocessError {
            // The process has ended, and says itself why.
        } catch {
            feeding.fail(error)
        }
        // If it cannot be closed any more, it is closed.
        try? await writer.finish()
    }

    private func next<Iterator: AsyncIteratorProtocol>(
        _ rows: inout Iterator
    ) async throws -> [[Cell]]? where Iterator.Element == [[Cell]] {
        feeding.stopwatch.set(starved: true)
        defer { feeding.stopwatch.set(starved: false) }
        return try await rows.next(isolation: #isolation)
    }

    /// Sends rows in frames of a bounded size; false when the process takes no more.
    private func send(_ batch: [[Cell]]) async throws -> Bool {
        var pending = ByteWriter()
        for cells in batch {
            pending.write(SpreadsheetRow(number: 0, cells: cells))
            guard pending.bytes.count >= Frame.rowsBytes else { continue }
            guard try await send(Frame.encode(.rows, { $0.append(pending.bytes) })) else {
                return false
            }
            pending = ByteWriter()
        }
        guard !pending.bytes.isEmpty else { return true }
        return try await send(Frame.encode(.rows) { $0.append(pending.bytes) })
    }

    private func send(_ frame: [UInt8]) async throws -> Bool {
        try await writer.write(frame) == frame.count
    }
}
