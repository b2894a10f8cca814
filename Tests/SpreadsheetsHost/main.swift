import Glibc
import Spreadsheets

// A program that reads and writes spreadsheets, for tests to start and for people to measure:
//
//   SpreadsheetsHost measure-reading FILE
//   SpreadsheetsHost measure-writing xlsx|csv ROWS FILE
SpreadsheetProcess.serveIfAsked()

let words = CommandLine.arguments.dropFirst()
do {
    switch words.first {
    case "measure-reading" where words.count == 2:
        try await Measurement.read(words[2])
    case "measure-writing" where words.count == 4:
        guard let format = SpreadsheetFormat(rawValue: words[2]), let rows = Int(words[3]) else {
            exit(64)
        }
        try await Measurement.write(rows, as: format, to: words[4])
    default:
        exit(64)
    }
} catch {
    Measurement.say("\(error)")
    exit(1)
}
