internal import Configuration
internal import RPCTransport

/// What a program was told at its start, by flags or else by its environment; read once.
///
/// - `--host`, `--port`: where it listens; port 0 is any that is free.
/// - `--data`: the folder of its database; `--keys`: the folder of the keys by which processes know
///   one another (default: `keys` in the data folder).
/// - `--log-level`: the least important events that are logged.
/// - `--drain-seconds`: how long calls in flight may take once the program was asked to stop.
/// - `--connections-max`, `--connections-per-peer-max`, `--calls-max`,
///   `--calls-per-connection-max`, `--streams-max`: what it takes on at once.
/// - `--compression`: whether frames travel compressed to and from processes that want it, too.
/// - `--debug-page`: whether anybody may read `GET /debug`; `--debug-token`: what opens it to other
///   machines.
/// - `--stop-with-parent`: stop, as if asked to, when the standard input ends, because whoever
///   started the program is gone.
/// - `--tls-mode`, `--tls-certificate`, `--tls-key`, `--tls-trust`: how calls are protected.
/// - one flag for the address of each service that it calls, and the program's own.
public struct ServiceConfiguration: Sendable {
    /// Why a program cannot start as it was told to.
    public enum Fault: Error, Sendable, Hashable, CustomStringConvertible {
        /// The flags or variables are wrong, in one line.
        case usage(String)
        /// Help was asked for; the text.
        case help(String)

        /// The line or the text to show.
        public var description: String {
            switch self {
            case .usage(let line): line
            case .help(let text): text
            }
        }
    }

    /// The name of the service.
    public let service: String
    private let values: [String: String]

    /// Reads flags and environment.
    ///
    /// - Parameters:
    ///   - service: The name of the service.
    ///   - defaultPort: Its port when none is set.
    ///   - keys: The settings of this program beside those of every service.
    ///   - arguments: The command line, the program's name first.
    ///   - environment: The environment.
    /// - Throws: ``Fault`` with one clear line.
    public init(
        service: String, defaultPort: Int, keys: [ConfigurationKey] = [], arguments: [String],
        environment: [String: String]
    ) throws(Fault) {
        let known = Self.common(defaultPort: defaultPort) + keys
        self.service = service
        let flags = try Self.parse(arguments, known, service)
        let reader = Self.reader(flags, environment)
        var values: [String: String] = [:]
        for key in known {
            let found = reader.string(forKey: ConfigKey(key.name), isSecret: key.isSecret)
            guard let value = found ?? key.defaultText else { continue }
            if let expected = key.complaint(about: value) {
                let source = flags[key.name] == nil ? key.variable : key.flag
                let shown = key.isSecret ? "…" : "\"\(value)\""
                throw .usage("\(service): \(source) is \(shown); expected \(expected)")
            }
            values[key.name] = value
        }
        self.values = values
    }

    /// Where it listens.
    public var host: String { text("host") ?? "127.0.0.1" }
    /// The port on which it listens; 0 is any that is free.
    public var port: Int { integer("port") ?? 0 }
    /// The folder of its database.
    public var dataFolder: String { text("data") ?? "./data" }
    /// The folder of the keys.
    public var keysFolder: String { text("keys") ?? "\(dataFolder)/keys" }
    /// The file of its database.
    public var databasePath: String { "\(dataFolder)/\(service).db" }
    /// The least important events that are logged.
    public var logLevel: String { text("log.level") ?? "info" }
    /// How long calls in flight may take once the program was asked to stop.
    public var drainTimeout: Duration { .seconds(integer("drain.seconds") ?? 10) }

    /// Whether frames travel compressed, as a server and as a client.
    var compression: RPCCompression { text("compression") == "deflate" ? .deflate() : .off }

    /// Who may read the page for operators.
    var debugPage: DebugPageAccess {
        guard text("debug.page") != "off" else { return .nobody }
        return text("debug.token").map { .localOrToken($0) } ?? .local
    }

    /// Whether it stops when the standard input ends.
    var stopsWithParent: Bool { isOn("stop.with.parent") }

    /// The value of a setting; nil when it is not set and has no default.
    public func text(_ name: String) -> String? { values[name] }

    /// The value of a setting that is a number.
    public func integer(_ name: String) -> Int? { values[name].flatMap { Int($0) } }

    /// Whether a setting is on.
    public func isOn(_ name: String) -> Bool { values[name] == "true" }

    private static func common(defaultPort: Int) -> [ConfigurationKey] {
        [
            ConfigurationKey("host", default: "127.0.0.1", "The address to listen on."),
            ConfigurationKey(
                "port", .integer(0...65_535), default: "\(defaultPort)",
                "The port to listen on; 0 is any that is free."),
            ConfigurationKey("data", default: "./data", "The folder of the database."),
            ConfigurationKey(
                "keys", .text,
                "The folder of the keys of processes (default: keys in the data folder)."),
            ConfigurationKey(
                "log.level",
                .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]),
                default: "info", "The least important events that are logged."),
            ConfigurationKey(
                "drain.seconds", .integer(0...600), default: "10",
                "How long calls in flight may take once asked to stop."),
            ConfigurationKey(
                "compression", .choice(["off", "deflate"]), default: "off",
                "How frames travel to and from processes that have the same set."),
            ConfigurationKey(
                "debug.page", .choice(["on", "off"]), default: "on",
                "Whether GET /debug on the port answers on this machine."),
            ConfigurationKey(
                "debug.token", .token(bytesMin: 16), isSecret: true,
                "Opens GET /debug on the port to other machines that send it; better a variable."),
            ConfigurationKey(
                "stop.with.parent", .toggle, default: "false",
                "Stops when the standard input ends: whoever started the program is gone."),
        ] + ServerLimits.keys + TransportSecurity.keys
    }

    /// Flags win over variables.
    private static func reader(
        _ flags: [String: String], _ environment: [String: String]
    ) -> ConfigReader {
        let given = flags.map { name, value in
            (AbsoluteConfigKey(ConfigKey(name)), ConfigValue(.string(value), isSecret: false))
        }
        return ConfigReader(providers: [
            InMemoryProvider(
                name: "flags", values: Dictionary(given, uniquingKeysWith: { $1 })),
            EnvironmentVariablesProvider(environmentVariables: environment)
                .prefixKeys(with: "guildhall"),
        ])
    }

    /// Reads the command line by itself: a flag that nobody knows must not pass unnoticed.
    private static func parse(
        _ arguments: [String], _ keys: [ConfigurationKey], _ service: String
    ) throws(Fault) -> [String: String] {
        var rest = arguments.dropFirst()
        var flags: [String: String] = [:]
        while let argument = rest.popFirst() {
            if argument == "--help" || argument == "-h" { throw .help(help(keys, service)) }
            let parts = argument.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let key = keys.first(where: { $0.flag == parts[0] }) else {
                throw .usage("\(service): unknown argument \(argument); try --help")
            }
            let value: String
            if parts.count == 2 {
                value = String(parts[1])
            } else if case .toggle = key.kind {
                value = "true"
            } else if let next = rest.popFirst() {
                value = next
            } else {
                throw .usage("\(service): \(key.flag) needs a value")
            }
            guard flags.updateValue(value, forKey: key.name) == nil else {
                throw .usage("\(service): \(key.flag) is given twice")
            }
        }
        return flags
    }

    private static func help(_ keys: [ConfigurationKey], _ service: String) -> String {
        let width = keys.map { $0.flag.count }.max() ?? 0
        let lines = keys.map { key in
            let space = String(repeating: " ", count: width - key.flag.count)
            let fallback = key.defaultText.map { " Default: \($0)." } ?? ""
            return "  \(key.flag)\(space)  \(key.summary)\(fallback) [\(key.variable)]"
        }
        return "usage: \(service) [--flag value]…\n\n" + lines.joined(separator: "\n")
    }
}
