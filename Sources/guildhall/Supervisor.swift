import Foundation
import ServiceKit
import Subprocess
import Synchronization
import SystemPackage

/// Keeps the five parts running: starts them, starts those again that end, stops them in order.
final class Supervisor: Sendable {
    /// A part that ends sooner than this after its start waits longer before the next one.
    static let steadyAfter: Duration = .seconds(30)
    /// The first wait before a part is started again.
    static let restartDelayMin: Duration = .milliseconds(100)
    /// The longest wait before a part is started again.
    static let restartDelayMax: Duration = .seconds(5)
    /// How often the supervisor looks whether a part that was asked to end has ended.
    static let stopPollInterval: Duration = .milliseconds(20)

    /// Why an installation did not start or stop as it should.
    enum Fault: Error, CustomStringConvertible {
        /// Starting the part again would not help.
        case cannotStart(Part, lastWords: String)
        /// The part was asked to end and had to be killed.
        case killed(Part)

        var description: String {
            switch self {
            case .cannotStart(let part, let words): "\(part.rawValue) cannot start: \(words)"
            case .killed(let part): "\(part.rawValue) did not end in time and was killed"
            }
        }
    }

    private struct State {
        var running: [Part: ProcessIdentifier] = [:]
        var ready: Set<Part> = []
        /// Those that were ready once; they are started again whatever they end with.
        var proven: Set<Part> = []
        var isStopping = false
        var endings = Endings()
    }

    private let installation: Installation
    private let ports: Ports
    private let owner: OwnerSignIn
    private let mail: MailOptions
    private let publicURL: String?
    private let console: Console
    private let lifeline: Lifeline
    private let state = Mutex(State())
    private let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    init(
        installation: Installation, ports: Ports, owner: OwnerSignIn, mail: MailOptions,
        publicURL: String?, console: Console
    ) throws {
        lifeline = try Lifeline()
        self.installation = installation
        self.ports = ports
        self.owner = owner
        self.mail = mail
        self.publicURL = publicURL
        self.console = console
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// Runs all parts until ``stop()``.
    func run() async throws {
        try await withThrowingTaskGroup { group in
            for part in Part.allCases {
                group.addTask { try await self.keepRunning(part) }
            }
            try await group.waitForAll()
        }
    }

    /// Asks every part to end: the gateway first, so that what it began can finish.
    func stop() {
        let gatewayRuns = state.withLock { state in
            state.isStopping = true
            return state.running[.gateway] != nil
        }
        if gatewayRuns { signal(.gateway, SIGTERM) } else { stopServices() }
        change.yield()
    }

    /// Returns once every part has said that it is ready; false when they were stopped before.
    func untilReady() async -> Bool {
        for await _ in changes {
            let (ready, stopping) = state.withLock { ($0.ready.count, $0.isStopping) }
            if stopping { return false }
            if ready == Part.allCases.count { return true }
        }
        return false
    }
}

extension Supervisor {
    private func keepRunning(_ part: Part) async throws {
        var delay = Self.restartDelayMin
        while !isStopping {
            let started = ContinuousClock.now
            let status = try await runOnce(part)
            if isStopping { break }
            try expectProven(part, endedWith: status)
            if started.duration(to: .now) > Self.steadyAfter { delay = Self.restartDelayMin }
            console.line(
                "\(part.rawValue) ended (\(status)); starting it again. "
                    + "Its log: \(installation.log(of: part).path)")
            try await Task.sleep(for: delay)
            delay = min(delay * 2, Self.restartDelayMax)
        }
        if part == .gateway { stopServices() }
    }

    private func stopServices() {
        for part in Part.allCases where part != .gateway { signal(part, SIGTERM) }
    }

    /// A part that was never ready and ends by itself has a reason that lasts: a wrong setting, a
    /// port that is taken, a database that is newer than the program.
    private func expectProven(_ part: Part, endedWith status: TerminationStatus) throws {
        guard case .exited = status, !state.withLock({ $0.proven.contains(part) }) else { return }
        let log = try? String(contentsOf: installation.log(of: part), encoding: .utf8)
        let lastWords = log?.split(separator: "\n").last.map(String.init)
        stop()
        throw Fault.cannotStart(part, lastWords: lastWords ?? "\(status)")
    }

    private func runOnce(_ part: Part) async throws -> TerminationStatus {
        let log = try FileDescriptor.open(
            FilePath(installation.log(of: part).path), .writeOnly,
            options: [.create, .append], permissions: [.ownerReadWrite])
        var options = PlatformOptions()
        // Its own group: Ctrl-C reaches the supervisor alone, which stops the parts in order.
        options.processGroupID = 0
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: Endings.timeMax)]
        let result = try await Subprocess.run(
            .path(FilePath(installation.executable(of: part).path)),
            arguments: Arguments(arguments(of: part)),
            environment: environment(of: part),
            platformOptions: options,
            input: .fileDescriptor(lifeline.readEnd, closeAfterSpawningProcess: false),
            output: .sequence,
            error: .fileDescriptor(log, closeAfterSpawningProcess: true)
        ) { execution in
            began(part, execution.processIdentifier)
            // Bounds the time a part takes to end once it was asked to.
            try await withThrowingTaskGroup { group in
                group.addTask {
                    for try await line in execution.standardOutput.strings() {
                        self.heard(line, from: part)
                    }
                }
                group.addTask { try await self.killWhenLate(part) }
                group.addTask {
                    try await PartLog(file: self.installation.log(of: part))
                        .keepShort { self.console.line($0) }
                }
                try await group.next()
                group.cancelAll()
            }
        }
        state.withLock { state in
            state.running[part] = nil
            state.ready.remove(part)
        }
        return result.terminationStatus
    }

    private func began(_ part: Part, _ process: ProcessIdentifier) {
        let stopsAtOnce = state.withLock { state in
            state.running[part] = process
            state.endings.began(part)
            return state.isStopping
        }
        console.line("started \(part.rawValue) pid \(process.value) \(ports.address(of: part))")
        // The request to stop may have come while the process was being made.
        if stopsAtOnce { signal(part, SIGTERM) }
    }

    private func heard(_ line: String, from part: Part) {
        guard line.hasPrefix("ready ") else { return }
        let behind = ReadyLine.servicesBehind(in: line)
        if !behind.isEmpty {
            console.line(
                "\(part.rawValue) runs, but does not know yet all that "
                    + "\(behind.joined(separator: ", ")) has said: what is missing is refused as "
                    + "unavailable until it comes. Its log: \(installation.log(of: part).path)")
        }
        state.withLock { state in
            state.ready.insert(part)
            state.proven.insert(part)
        }
        change.yield()
    }

    private func killWhenLate(_ part: Part) async throws {
        // The services are asked only once the gateway has ended: each has its own time.
        while state.withLock({ !$0.endings.isLate(part, at: .now) }) {
            try await Task.sleep(for: Self.stopPollInterval)
        }
        signal(part, SIGKILL)
        throw Fault.killed(part)
    }

    private func signal(_ part: Part, _ number: Int32) {
        let process = state.withLock { state in
            if number == SIGTERM, state.running[part] != nil {
                state.endings.ask(part, at: .now)
            }
            return state.running[part]
        }
        if let process { kill(process.value, number) }
    }

    private func arguments(of part: Part) -> [String] {
        var arguments = [
            "--host", Ports.host,
            "--port", "\(ports.rpcPort(of: part))",
            "--data", installation.data.path,
            "--keys", installation.keys.path,
            "--stop-with-parent",
        ]
        for other in part.upstreams {
            arguments += ["--\(other.rawValue)", ports.address(of: other)]
        }
        if part == .gateway { arguments += ["--http-port", "\(ports.http)"] }
        return arguments
    }

    private func environment(of part: Part) -> Environment {
        // By the environment: arguments can be read by every user of the machine. Who writes no
        // mails is not told how they go out.
        var values: [Environment.Key: String?] = [
            "GUILDHALL_MAIL": nil, "GUILDHALL_MAIL_FROM": nil,
        ]
        switch part {
        case .membership:
            values["GUILDHALL_OWNER_EMAIL"] = owner.email
            values["GUILDHALL_OWNER_PASSWORD"] = owner.password
            // Where the links in mails lead.
            values["GUILDHALL_PUBLIC_URL"] = publicURL ?? "http://\(Ports.host):\(ports.http)"
            values.merge(mailSettings) { $1 }
        case .organizations:
            // Whom people write to until the settings of the platform say so.
            values["GUILDHALL_OWNER_EMAIL"] = owner.email
            values.merge(mailSettings) { $1 }
        case .gateway:
            if let publicURL { values["GUILDHALL_PUBLIC_URL"] = publicURL }
        case .partners, .branding: break
        }
        return .inherit.updating(values)
    }

    /// What a part that writes mails is told of their way.
    private var mailSettings: [Environment.Key: String?] {
        let folder = "file:\(installation.data.appending(path: "mail").path)"
        var values: [Environment.Key: String?] = ["GUILDHALL_MAIL": mail.destination ?? folder]
        if let from = mail.from { values["GUILDHALL_MAIL_FROM"] = from }
        return values
    }
}
