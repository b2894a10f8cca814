import Foundation
import Glibc
import Testing

@testable import Spreadsheets

extension ProcessTests {
    /// Reading in a process of its own.
    @Suite(.timeLimit(.minutes(2))) struct ReadingProcessTests {
        @Test func `rows arrive as they are in the file`() async throws {
            let styles = #"<cellXfs><xf/><xf numFmtId="14"/><xf numFmtId="9"/></cellXfs>"#
            let workbook = HandmadeWorkbook(
                rows: """
                    <row r="3"><c t="str"><v>Überall 😀</v></c><c><v>-1.25</v></c>\
                    <c s="2"><v>0.15</v></c><c s="1"><v>45352</v></c><c s="1"><v>45352.5</v></c>\
                    <c t="b"><v>1</v></c><c t="b"><v>0</v></c><c r="J3" t="e"><v>#N/A</v></c>\
                    <c><f>A1</f><v>2</v></c><c><f>A2</f></c></row>
                    """, styles: styles)
            let bytes = try workbook.bytes()

            let rows = try await Host.rows(of: .bytes(bytes))

            #expect(rows == (try Reading.rows(of: bytes)))
            #expect(rows.first?.number == 3 && rows.first?.cells.count == 12)
            #expect(try Host.children().isEmpty)
        }

        @Test func `many rows arrive in batches, in their order`() async throws {
            let bytes = LongFile.bytes(rows: 20_000)

            let (batches, numbers) = try await Host.processes().read(.bytes(bytes)) { rows in
                var seen: (batches: Int, numbers: [Int]) = (0, [])
                for try await batch in rows {
                    seen.batches += 1
                    seen.numbers += batch.map(\.number)
                }
                return seen
            }

            #expect(numbers == Array(1...20_000))
            #expect(batches > 5)
        }

        @Test func `a file is read where it is`() async throws {
            let path = "/tmp/spreadsheets-test-\(getpid())-\(UInt64.random(in: 0 ... .max)).csv"
            defer { unsafe unlink(path) }
            try Data(LongFile.bytes(rows: 2_000)).write(to: URL(filePath: path))

            #expect(try await Host.rows(of: .path(path)).count == 2_000)
        }

        @Test func `a fault arrives whole`() async throws {
            let bytes = try HandmadeWorkbook(
                rows: #"<row r="2"><c r="B2" t="s"><v>0</v></c></row>"#
            ).bytes()

            let fault = try await Host.fault(of: bytes)

            #expect(fault == (try Reading.fault(of: bytes)))
            #expect(fault?.cell == "B2")
        }

        @Test func `rows before a fault are given`() async throws {
            let bytes = LongFile.bytes(rows: 20_000) + Array("\"open".utf8)
            var given = 0

            let fault = await #expect(throws: SpreadsheetFault.self) {
                given = try await Host.processes().read(.bytes(bytes)) { rows in
                    var given = 0
                    do {
                        for try await batch in rows { given += batch.count }
                    } catch is SpreadsheetFault where given > 10_000 {
                        throw SpreadsheetFault(.damaged, "after many")
                    }
                    return given
                }
            }
            #expect(fault?.message == "after many" && given == 0)
        }

        @Test func `a hostile file is refused in time and harms nobody`() async throws {
            let cases =
                try HostileFileTests.wrongSheets() + HostileFileTests.wrongParts()
                + HostileFileTests.tooMuch()
            let processes = Host.processes()
            for file in cases {
                let start = ContinuousClock.now
                let fault = try await Host.fault(of: file.bytes, with: processes)
                let span = start.duration(to: .now)

                #expect(fault?.code == file.code, "\(file.name): \(fault?.description ?? "read")")
                #expect(span < .seconds(5), "\(file.name): \(span)")
            }
            #expect(try Host.children().isEmpty)
        }

        @Test func `a process without memory ends, and its caller is told`() async throws {
            let bytes = LongFile.bytes(rows: 50_000)

            let fault = try await Host.fault(
                of: bytes, with: Host.processes { $0.limits.memoryBytesMax = 2 << 20 })

            #expect(fault == .tooComplex)
            #expect(try Host.children().isEmpty)
        }

        @Test func `a process without processor time ends, and its caller is told`() async throws {
            let row = "<row>\(String(repeating: "<c t=\"b\"><v>1</v></c>", count: 60))</row>"
            let workbook = HandmadeWorkbook(rows: String(repeating: row, count: 60_000))
            let bytes = try workbook.bytes()

            let processes = Host.processes {
                $0.limits.readingProcessorSecondsMax = 1
                // Not this is to end it.
                $0.limits.waitMax = .seconds(600)
            }
            let fault = try await Host.fault(of: bytes, with: processes)

            #expect(fault == .tooComplex)
        }

        @Test func `a process that does not answer is ended, and its caller is told`() async throws
        {
            let processes = Host.processes { $0.limits.waitMax = .milliseconds(300) }

            let fault = await #expect(throws: SpreadsheetFault.self) {
                try await processes.read(.bytes(LongFile.bytes(rows: 50_000))) { rows in
                    for try await _ in rows {
                        for child in try Host.children() { kill(child, SIGSTOP) }
                    }
                }
            }

            #expect(fault == .tooComplex)
            #expect(try Host.children().isEmpty)
        }

        @Test func `the time of the caller does not count`() async throws {
            let processes = Host.processes { $0.limits.waitMax = .seconds(3) }

            let count = try await processes.read(.bytes(LongFile.bytes(rows: 8_000))) { rows in
                var count = 0
                for try await batch in rows {
                    if count == 0 { try await Task.sleep(for: .milliseconds(3_500)) }
                    count += batch.count
                }
                return count
            }

            #expect(count == 8_000)
        }

        @Test func `the process may do little and knows nothing`() async throws {
            try await Host.processes().read(.bytes(LongFile.bytes(rows: 50_000))) { rows in
                var iterator = rows.makeAsyncIterator()
                _ = try await iterator.next()
                let child = try #require(try Host.children().first)
                let limits = try String(contentsOfFile: "/proc/\(child)/limits", encoding: .utf8)
                    .split(separator: "\n").map { line in
                        line.split(separator: " ", omittingEmptySubsequences: true)
                            .joined(separator: " ")
                    }
                #expect(limits.contains("Max cpu time 5 6 seconds"))
                #expect(limits.contains("Max data size 134217728 134217728 bytes"))
                #expect(limits.contains("Max file size 0 0 bytes"))
                #expect(limits.contains("Max open files 16 16 files"))
                #expect(limits.contains("Max core file size 0 0 bytes"))
                let environment = try String(
                    contentsOfFile: "/proc/\(child)/environ", encoding: .utf8)
                #expect(environment == "SWIFT_BACKTRACE=enable=no\0")
                let descriptors = try FileManager.default.contentsOfDirectory(
                    atPath: "/proc/\(child)/fd")
                #expect(Set(descriptors) == ["0", "1", "2"])
            }
            #expect(try Host.children().isEmpty)
        }

        @Test func `cancellation ends the process`() async throws {
            let started = AsyncStream<Void>.makeStream()
            let task = Task {
                try await Host.processes().read(.bytes(LongFile.bytes(rows: 50_000))) { rows in
                    for try await _ in rows {
                        started.continuation.yield()
                        // The process stands, so that only cancellation can end this.
                        for child in try Host.children() { kill(child, SIGSTOP) }
                    }
                }
            }
            for await _ in started.stream { break }
            task.cancel()

            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try Host.children().isEmpty)
        }

        @Test func `a caller that has seen enough ends the process`() async throws {
            let bytes = LongFile.bytes(rows: 50_000)

            let first = try await Host.processes().read(.bytes(bytes)) { rows in
                for try await batch in rows {
                    // It stands, and would not see that nobody listens any more.
                    for child in try Host.children() { kill(child, SIGSTOP) }
                    return batch.first
                }
                return nil
            }
            #expect(first?.number == 1)
            #expect(try await Host.processes().read(.bytes(bytes)) { _ in 7 } == 7)
            await #expect(throws: BrokenOff()) {
                try await Host.processes().read(.bytes(bytes)) { _ in throw BrokenOff() }
            }
            #expect(try Host.children().isEmpty)
        }

        @Test(arguments: ["/no/such/program", "/bin/true", "/bin/false", "/bin/echo"])
        func `a program that does not serve is told`(executable: String) async throws {
            let processes = Host.processes { $0.executable = executable }

            let fault = try await Host.fault(of: LongFile.bytes(rows: 50_000), with: processes)

            #expect(fault == .unavailable)
        }

        @Test func `nothing is left open, however reading ends`() async throws {
            let path = "/tmp/spreadsheets-test-\(getpid())-\(UInt64.random(in: 0 ... .max)).csv"
            defer { unsafe unlink(path) }
            try Data(LongFile.bytes(rows: 20_000)).write(to: URL(filePath: path))
            let openFiles = {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
            }
            let absent = Host.processes { $0.executable = "/no/such/program" }
            let poor = Host.processes { $0.limits.memoryBytesMax = 2 << 20 }
            let rounds = {
                for file in [SpreadsheetFile.path(path), .bytes(LongFile.bytes(rows: 20_000))] {
                    _ = try await Host.rows(of: file)
                    try await Host.processes().read(file) { _ in }
                    _ = await #expect(throws: SpreadsheetFault.unavailable) {
                        try await Host.rows(of: file, with: absent)
                    }
                    _ = await #expect(throws: SpreadsheetFault.tooComplex) {
                        try await Host.rows(of: file, with: poor)
                    }
                }
                _ = await #expect(throws: (any Error).self) {
                    try await Host.rows(of: .path("/no/such/file"))
                }
            }
            // What is opened once, for all time, is open after the first round.
            try await rounds()
            let before = try openFiles()
            for _ in 0..<3 { try await rounds() }

            #expect(try openFiles() == before)
            #expect(try Host.children().isEmpty)
        }

        @Test func `a process that says what it may not is not believed`() async throws {
            let bytes = LongFile.bytes(rows: 100)
            let processes = Host.processes()

            await #expect(throws: SpreadsheetFault.unavailable) {
                try await processes.read(.bytes(bytes)) { rows in
                    var few = SpreadsheetLimits()
                    few.rowsMax = 50
                    for try await _ in rows.held(to: few) {}
                }
            }
            await #expect(throws: SpreadsheetFault.unavailable) {
                try await processes.read(.bytes(bytes)) { rows in
                    var few = SpreadsheetLimits()
                    few.columnsMax = 1
                    for try await _ in rows.held(to: few) {}
                }
            }
        }

        @Test func `a program that is asked in other words does nothing`() async throws {
            let process = Process()
            process.executableURL = URL(filePath: Host.executable)
            process.arguments = ["read-spreadsheet", "/tmp", "rows=1"]
            try process.run()
            process.waitUntilExit()

            #expect(process.terminationStatus == 64)
        }
    }
}
