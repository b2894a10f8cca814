import Storage

/// What the worker is told to do.
struct Assignment: Sendable {
    /// A protection that is taken away, to show that its absence is noticed.
    enum Omission: String, Sendable, CaseIterable {
        /// A command is acknowledged before its commit.
        case commit
        /// A repeated command comes with another key.
        case commandKey
        /// A step of a workflow comes with another key each time.
        case stepKey
    }

    /// A place where the process ends, and the how manieth time it is reached.
    struct Death: Sendable, Hashable {
        let failpoint: Failpoint
        let hit: Int
        /// What is done at the place, such as `charge.undo`; empty for anything.
        var work = ""
        /// Whether only those times count that come after a client's first answer.
        var isAfterAnswer = false

        /// The place, and what is done there.
        var place: String { work.isEmpty ? failpoint.rawValue : "\(failpoint.rawValue)/\(work)" }
    }

    /// The file of the database.
    var path = ""
    /// How many clients ask for something at once.
    var clients = 8
    /// The last counter that each client knows to be acknowledged; 0 for none.
    var acknowledged: [Int] = []
    /// New commands of each client; 0 for no end.
    var commands = 0
    /// The schema: 1, or 2 for that of a newer program.
    var schema = 1
    /// The size that the database has at least before the clients begin.
    var fillBytes = 0
    /// The space set aside for when the disk is full.
    var ballastBytes = 0
    /// Whether workflows are started and run.
    var hasWorkflows = false
    /// Whether the process ends by itself once the commands and workflows are done.
    var settles = false
    /// Whether old replies are purged at the start.
    var purges = false
    /// Whether the database is copied again and again meanwhile.
    var copies = false
    /// A copy to put in the database's place twice, instead of any other work; empty for none.
    var restorePath = ""
    /// The file that says how wrong the clock is; empty for a clock that is right.
    var clockPath = ""
    /// Where the process ends, in debug builds.
    var death: Death?
    /// Which sync of the disk fails once the database is open, with all after it; 0 for none.
    var failingSync = 0
    /// What is left out; nil for nothing.
    var omission: Omission?
    /// Whether opening is tried with every small number of file descriptors.
    var scantDescriptorsAtOpening = false
    /// Whether there is no file descriptor left for a while after opening.
    var scantDescriptorsAtWork = false

    init(path: String) {
        self.path = path
    }

    var clock: WorkerClock { WorkerClock(path: clockPath) }

    /// The assignment as the arguments, for starting a worker.
    var words: [String] {
        var words = ["path=\(path)", "clients=\(clients)", "commands=\(commands)"]
        words += ["schema=\(schema)", "fill=\(fillBytes)", "ballast=\(ballastBytes)"]
        words.append("acknowledged=\(acknowledged.map(String.init).joined(separator: ","))")
        if hasWorkflows { words.append("workflows") }
        if settles { words.append("settle") }
        if !clockPath.isEmpty { words.append("clock=\(clockPath)") }
        if purges { words.append("purge") }
        if copies { words.append("copies") }
        if !restorePath.isEmpty { words.append("restore=\(restorePath)") }
        if let death {
            let condition = death.isAfterAnswer ? ":answered" : ""
            words.append("death=\(death.place):\(death.hit)\(condition)")
        }
        if failingSync > 0 { words.append("failing-sync=\(failingSync)") }
        if let omission { words.append("omit=\(omission.rawValue)") }
        if scantDescriptorsAtOpening { words.append("scant-at-opening") }
        if scantDescriptorsAtWork { words.append("scant-at-work") }
        return words
    }

    /// A word that is no argument.
    struct Unknown: Error {
        let word: String
    }

    init(words: some Sequence<String>) throws {
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard let name = parts.first else { continue }
            guard try take(name, parts.count > 1 ? parts[1] : "") else {
                throw Unknown(word: word)
            }
        }
    }

    private mutating func take(_ name: String, _ value: String) throws -> Bool {
        switch name {
        case "path": path = value
        case "clients": clients = try number(value)
        case "commands": commands = try number(value)
        case "schema": schema = try number(value)
        case "fill": fillBytes = try number(value)
        case "acknowledged": acknowledged = try value.split(separator: ",").map(number)
        case "ballast": ballastBytes = try number(value)
        case "workflows": hasWorkflows = true
        case "settle": settles = true
        case "purge": purges = true
        case "copies": copies = true
        case "restore": restorePath = value
        case "clock": clockPath = value
        case "death": death = try Self.death(value)
        case "failing-sync": failingSync = try number(value)
        case "omit": omission = Omission(rawValue: value)
        case "scant-at-opening": scantDescriptorsAtOpening = true
        case "scant-at-work": scantDescriptorsAtWork = true
        default: return false
        }
        return true
    }

    private func number(_ text: some StringProtocol) throws -> Int {
        guard let number = Int(text) else { throw Unknown(word: String(text)) }
        return number
    }

    private static func death(_ text: String) throws -> Death {
        let parts = text.split(separator: ":").map(String.init)
        guard parts.count == 2 || parts.dropFirst(2) == ["answered"],
            case let place = parts[0].split(separator: "/", maxSplits: 1).map(String.init),
            let failpoint = Failpoint(rawValue: place[0]), let hit = Int(parts[1])
        else { throw Unknown(word: text) }
        return Death(
            failpoint: failpoint, hit: hit, work: place.count > 1 ? place[1] : "",
            isAfterAnswer: parts.count > 2)
    }
}
