import Foundation
import Subprocess
import SystemPackage
import Testing

@testable import Webhooks

/// The receiver that the documentation shows.
struct ReadmeTests {
    @Test func `the example takes what is signed, and nothing else`() async throws {
        let readme = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Services/Organizations/README.md")
        let text = try String(contentsOf: readme, encoding: .utf8)
        let block = try #require(text.components(separatedBy: "```python\n").dropFirst().first)
        let example = try #require(block.components(separatedBy: "\n```").first)
        let (secret, port) = (WebhookSecret(), Int.random(in: 20_000..<30_000))
        let program = example.replacing("whsec_…", with: secret.text)
            .replacing(#"("", 8000)"#, with: #"("127.0.0.1", \#(port))"#)
        try #require(program.contains(secret.text) && program.contains("\(port)"))
        let python = try #require(
            ProcessInfo.processInfo.environment["GUILDHALL_TEST_PYTHON"],
            "deploy/test prepares the Python that this test needs")
        let rules = AddressRules(allowing: ["127.0.0.0/8"].compactMap(Network.init))
        let transport = WebhookTransport(rules: rules, allowsPlaintext: true)
        let seconds = Int64(Date.now.timeIntervalSince1970)
        func status(_ secret: WebhookSecret, at seconds: Int64) async -> WebhookOutcome {
            await transport.send(
                WebhookCall(
                    id: "one", url: "http://127.0.0.1:\(port)/", body: Array("{}".utf8),
                    seconds: seconds, secret: secret))
        }

        let outcomes = try await Subprocess.run(
            .path(FilePath(python)), arguments: ["-c", program], input: .none, output: .sequence,
            error: .combinedWithOutput
        ) { execution in
            defer { try? execution.send(signal: .kill) }
            for _ in 0..<200 {
                if case .answered = await status(secret, at: seconds) { break }
                try await Task.sleep(for: .milliseconds(50))
            }
            return [
                await status(secret, at: seconds), await status(WebhookSecret(), at: seconds),
                await status(secret, at: seconds - 600),
            ]
        }.closureResult

        #expect(outcomes == [.answered(204), .answered(401), .answered(401)])
    }
}
