import ArgumentParser
import DynamicMessages
import Foundation
import RPC

/// A call that was not answered with a result, as a person reads it.
struct Failure {
    let status: Status
    /// Gives the fields of details that are not among the usual ones.
    let schema: Schema?

    init(_ status: Status, schema: Schema?) {
        self.status = status
        self.schema = schema
    }

    /// The code in capitals, such as `FAILED_PRECONDITION`.
    var code: String {
        "\(status.code)".reduce(into: "") { name, character in
            if character.isUppercase { name += "_" }
            name += character.uppercased()
        }
    }

    /// Code and message, then a line for each detail.
    var text: String {
        ([Self.line("\(code) (\(status.code.rawValue)): \(status.message)")]
            + status.details.flatMap(lines).map { "  " + Self.line($0) })
            .joined(separator: "\n")
    }

    /// Writes the failure to standard error.
    ///
    /// - Returns: What ends the command.
    func exit() -> ExitCode {
        StandardError.line(text)
        return .failure
    }

    /// Runs a command; what it fails with is told in words.
    ///
    /// A slip of the caller ends it with 64, a call that fails with 1.
    static func told(_ command: () async throws -> Void) async throws {
        do {
            try await command()
        } catch let status as Status {
            throw Failure(status, schema: nil).exit()
        } catch let slip as ValidationError {
            StandardError.line("Error: \(slip.message)")
            throw ExitCode.validationFailure
        }
    }

    private func lines(_ detail: StatusDetail) -> [String] {
        switch detail {
        case .errorInfo(let reason, let domain, let metadata):
            ["reason: \(reason) (\(domain))"]
                + metadata.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        case .badRequest(let violations):
            violations.map { "field \($0.field): \($0.description)" }
        case .preconditionFailure(let violations):
            violations.map { "precondition \($0.type) at \($0.subject): \($0.description)" }
        case .retryInfo(let delay): ["try again after: \(delay)"]
        case .other(let url, let value): ["\(url): \(other(url, value))"]
        }
    }

    private func other(_ url: String, _ value: [UInt8]) -> String {
        let name = url.split(separator: "/").last.map(String.init) ?? ""
        // A detail that cannot be read is shown as it came: it must not hide the failure.
        guard let schema, let type = schema.messages[name],
            let json = try? schema.decode(value, as: type)
        else { return Data(value).base64EncodedString() }
        return json.text()
    }

    /// What came from elsewhere must not move the cursor of a terminal.
    private static func line(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
                    return isControl ? "\u{FFFD}" : scalar
                }))
    }
}

/// What is neither a result nor a log.
enum StandardError {
    /// Writes a line to standard error at once.
    static func line(_ text: String) {
        // Nobody listens: then nobody misses it.
        try? FileHandle.standardError.write(contentsOf: Data("\(text)\n".utf8))
    }
}
