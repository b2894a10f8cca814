import Foundation
import Subprocess
import Synchronization
import SystemPackage
import Testing

/// `guildhall start` as an operator runs it: five real processes, real sockets, real files.
final class RunningInstallation: Sendable {
    /// How long a test waits for anything before it fails.
    static let patience: Duration = .seconds(60)

    enum Failure: Error {
        case ended(output: [String])
        case late(String)
        case noProcess(String)
    }

    /// How an installation is asked to stop.
    enum Ending {
        /// As a service manager asks the supervisor.
        case terminated
        /// As a terminal does for Ctrl-C: the signal goes to the whole process group.
        case interrupted
        /// Not at all: the supervisor is killed, and has no time to stop anything.
        case killed
    }

    let data: URL
    let owner = (email: "owner@guildhall.example", password: "correct horse battery staple")
    private let lines = Mutex<[String]>([])

    private init(data: URL) {
        self.data = data
    }

    /// Runs an installation around a closure, stops it, and expects that it stops cleanly.
    ///
    /// - Parameters:
    ///   - data: A folder to continue with; a fresh temporary one when absent.
    ///   - demonstration: Whether the demonstration is loaded.
    ///   - ending: How it is asked to stop.
    ///   - variables: What its environment says beside that of the test.
    ///   - body: Uses the installation.
    /// - Throws: What the closure throws, or why the installation did not start.
    static func run(
        data: URL? = nil, demonstration: Bool = false, ending: Ending = .terminated,
        variables: [Environment.Key: String] = [:],
        _ body: @Sendable @escaping (RunningInstallation) async throws -> Void
    ) async throws {
        let folder =
            data
            ?? FileManager.default.temporaryDirectory
            .appending(path: "guildhall-\(UUID().uuidString)")
        let installation = RunningInstallation(data: folder)
        try await installation.run(
            demonstration: demonstration, ending: ending, variables: variables, body)
        if ending == .killed { try await installation.awaitEndOfParts() }
        installation.expectStoppedCleanly()
        if data == nil { try FileManager.default.removeItem(at: folder) }
    }

    private func run(
        demonstration: Bool, ending: Ending, variables: [Environment.Key: String],
        _ body: @Sendable @escaping (RunningInstallation) async throws -> Void
    ) async throws {
        var options = PlatformOptions()
        if ending == .interrupted { options.processGroupID = 0 }
        // A test that fails must not leave the five processes behind.
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: Self.patience)]
        let result = try await Subprocess.run(
            .path(FilePath(Self.executable("guildhall").path)),
            arguments: Arguments([
                "start", "--data", data.path, "--http-port", "0", "--rpc-port", "0",
                "--owner-email", owner.email, "--owner-password", owner.password,
                demonstration ? "--demo" : "--no-demo",
            ]), environment: .inherit.updating(variables),
            platformOptions: options,
            input: .none, output: .sequence, error: .combinedWithOutput
        ) { execution in
            try await withThrowingTaskGroup { group in
                group.addTask {
                    for try await line in execution.standardOutput.strings() {
                        self.lines.withLock { $0.append(line.trimmingCharacters(in: .newlines)) }
                    }
                }
                defer { try? execution.send(signal: .terminate) }
                do {
                    try await self.until("ready") { self.url != nil }
                    try await body(self)
                } catch {
                    Issue.record("the installation printed: \(self.output)")
                    throw error
                }
                switch ending {
                case .terminated: try execution.send(signal: .terminate)
                case .interrupted: try execution.send(signal: .interrupt, toProcessGroup: true)
                case .killed: try execution.send(signal: .kill)
                }
                try await group.waitForAll()
            }
        }
        let expected: TerminationStatus = ending == .killed ? .signaled(SIGKILL) : .exited(0)
        #expect(result.terminationStatus == expected, "stopped as asked")
    }

    /// Each part ended in time and by itself, and none outlives the supervisor.
    private func expectStoppedCleanly() {
        let killed = output.filter { $0.contains("was killed") }
        #expect(killed.isEmpty)
        #expect(Set(announcements.map(\.part)).count == 5, "five parts were announced")
        for (part, pid, _) in announcements {
            #expect(!Self.isAlive(pid), "\(part) is still alive")
        }
    }

    /// Waits until no part is left: nobody stopped them, they end by themselves.
    private func awaitEndOfParts() async throws {
        try await until("all parts have ended") {
            self.announcements.allSatisfy { !Self.isAlive($0.pid) }
        }
        for part in Set(announcements.map(\.part)) {
            let file = data.appending(path: "logs/\(part).log")
            let log = try String(contentsOf: file, encoding: .utf8)
            #expect(log.contains("stopped"), "\(part) did not end in order: \(log.suffix(500))")
        }
    }

    /// Whether a process runs; one that has ended and waits for whoever inherited it does not.
    private static func isAlive(_ process: Int32) -> Bool {
        // A process that is gone has no such file.
        let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        guard let status, let name = status.lastIndex(of: ")") else { return false }
        return status[name...].dropFirst(2).first != "Z"
    }

    /// What `guildhall start` printed so far.
    var output: [String] { lines.withLock { $0 } }

    /// The address of the HTTP API, once everything answers.
    var url: URL? {
        for line in output where line.hasPrefix("guildhall ready ") {
            return URL(string: String(line.dropFirst("guildhall ready ".count)))
        }
        return nil
    }

    /// Every process that was started and its RPC address, from the lines that announced them.
    private var announcements: [(part: String, pid: Int32, address: String)] {
        output.compactMap { line in
            guard line.hasPrefix("started ") else { return nil }
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 5, let pid = Int32(words[3]) else { return nil }
            return (words[1], pid, words[4])
        }
    }

    /// The newest process of a part.
    private func announcement(of part: String) throws -> (pid: Int32, address: String) {
        guard let newest = announcements.last(where: { $0.part == part }) else {
            throw Failure.noProcess(part)
        }
        return (newest.pid, newest.address)
    }

    func processIdentifier(of part: String) throws -> Int32 { try announcement(of: part).pid }

    func address(of part: String) throws -> String { try announcement(of: part).address }

    /// Sends a signal to the newest process of a part.
    func signal(_ part: String, _ number: Int32) throws {
        #expect(kill(try processIdentifier(of: part), number) == 0)
    }

    /// Kills a part the hard way and waits until the supervisor has started it again.
    func killAndAwaitRestart(_ part: String) async throws {
        let killed = try processIdentifier(of: part)
        try signal(part, SIGKILL)
        try await until("\(part) started again") { try self.processIdentifier(of: part) != killed }
    }

    /// Waits until a condition holds, looking again and again.
    func until(_ what: String, _ condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now.advanced(by: Self.patience)
        while ContinuousClock.now < end {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Failure.late(what)
    }

    /// An executable of the build that these tests belong to.
    static func executable(_ name: String) -> URL {
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: name)
    }
}
