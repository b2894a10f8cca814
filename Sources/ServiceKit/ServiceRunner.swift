internal import FoundationEssentials
internal import Glibc
internal import Logging
internal import Messages
internal import RPC
internal import RPCServices
internal import RPCTelemetry
internal import RPCTransport
internal import ServiceLifecycle
internal import Storage
internal import UnixSignals

/// Runs a program from its first line to its exit code: settings, log, keys, wiring, listening,
/// readiness, signals, drain.
///
/// A program that wants metrics or traces sets their backends up before it calls
/// ``main(_:)``, by `MetricsSystem.bootstrap` and `InstrumentationSystem.bootstrap`: then all calls
/// of its server and of its channels are measured and traced. Without a backend nothing is.
public struct ServiceRunner: Sendable {
    /// How a program ends.
    enum Exit: Int32 {
        case success = 0
        /// Flags or variables are wrong.
        case usage = 64
        /// The address cannot be listened on.
        case unavailable = 69
        /// A defect of ours.
        case failure = 70
        /// Starting again may help: another process has the database, or a commit was lost.
        case temporary = 75
        /// Keys or database are not usable.
        case configuration = 78
    }

    /// After the drain, cancelled work gets this long before the program ends regardless.
    static let cancellationTimeMax: Duration = .seconds(5)
    /// What the drain may take beyond the time given to calls in flight.
    static let drainMargin: Duration = .seconds(5)

    /// How long a program waits for its copies before it says that it is ready without them.
    ///
    /// A restored installation reads everything anew, and that takes a while; a source that is down
    /// must not keep the program for ever from what it can do without.
    var copiesTimeMax: Duration = .seconds(60)

    private let name: String
    private let version: String
    private let defaultPort: Int
    private let keys: [ConfigurationKey]

    /// A program.
    ///
    /// - Parameters:
    ///   - name: Its name, such as `organizations`.
    ///   - defaultPort: Where it listens unless told otherwise.
    ///   - version: Told to peers.
    ///   - upstreams: The services that it calls.
    ///   - keys: Its settings beside those of every program.
    public init(
        name: String, defaultPort: Int, version: String = "0.1", upstreams: [Upstream] = [],
        keys: [ConfigurationKey] = []
    ) {
        self.name = name
        self.version = version
        self.defaultPort = defaultPort
        self.keys = upstreams.map(\.key) + keys
    }

    /// Runs the program and ends the process.
    ///
    /// - Parameter wire: Puts the program together.
    public func main(
        _ wire: @Sendable (ServiceEnvironment) async throws -> ServiceParts
    ) async -> Never {
        let outcome = await run(
            arguments: CommandLine.arguments,
            environment: ProcessInfo.processInfo.environment, wire)
        exit(outcome.rawValue)
    }

    func run(
        arguments: [String], environment: [String: String],
        _ wire: @Sendable (ServiceEnvironment) async throws -> ServiceParts
    ) async -> Exit {
        let configuration: ServiceConfiguration
        do {
            configuration = try ServiceConfiguration(
                service: name, defaultPort: defaultPort, keys: keys, arguments: arguments,
                environment: environment)
        } catch {
            if case .help(let text) = error {
                StandardErrorLog.write("\(text)\n", to: STDOUT_FILENO)
                return .success
            }
            return stop(error, .usage)
        }
        // Files of ours are nobody else's; a reader that goes away must not end us.
        umask(0o077)
        _ = signal(SIGPIPE, SIG_IGN)
        let level = Logger.Level(rawValue: configuration.logLevel) ?? .info
        let logger = Logger(label: name) { StandardErrorLog(label: $0, level: level) }
        let parts: ServiceEnvironment
        do {
            parts = try ServiceEnvironment(
                configuration: configuration, logger: logger, clock: .system)
        } catch {
            return stop(error, .configuration)
        }
        let outcome = await run(in: parts, wire)
        await parts.close()
        return outcome
    }

    private func run(
        in environment: ServiceEnvironment,
        _ wire: @Sendable (ServiceEnvironment) async throws -> ServiceParts
    ) async -> Exit {
        let parts: ServiceParts
        do {
            // Before anything is opened: a port that others reach must be protected.
            try environment.security.server(of: name).check(address(environment))
            parts = try await wire(environment)
        } catch let fault as OpeningFault {
            if case .inUse = fault { return stop(fault, .temporary) }
            return stop(fault, .configuration)
        } catch {
            return stop(error, .configuration)
        }
        let server = server(of: parts, in: environment)
        do {
            try await group(of: parts, server, in: environment).run()
            environment.logger.info("stopped")
            return .success
        } catch let fault as ListeningFault {
            return stop(fault, .unavailable)
        } catch let fault as LostCommit {
            return stop(fault, .temporary)
        } catch {
            return stop(error, .failure)
        }
    }

    private func server(
        of parts: ServiceParts, in environment: ServiceEnvironment
    ) -> RPCServer {
        let authentication =
            parts.authentication
            ?? PrincipalInterceptor(
                verifier: PrincipalVerifier(service: name, keys: environment.keys),
                clock: environment.clock, openMethods: parts.openMethods)
        let monitor = RPCServerMonitor()
        let introspection = ServiceIntrospection(
            of: monitor, now: { [clock = environment.clock] in Timestamp(clock.now()) },
            admit: { try $0.requirePlatformOwner() })
        let operations = environment.databases.map { database in
            ServiceOperations(database, verifiers: parts.verifiers, logger: environment.logger)
        }
        let methods =
            [environment.health.registeredMethods, introspection.registeredMethods]
            + operations.map(\.registeredMethods) + parts.methods
        let reflection = ServiceReflection(
            of: methods.joined().map(\.descriptor), descriptors: FileDescriptors.set)
        // Outermost, so that they see errors as callers do.
        let telemetry: [(any ServerInterceptor)?] = [
            TracingInterceptor.ifBootstrapped, MetricsInterceptor.ifBootstrapped,
        ]
        let router = Router(
            services: [reflection.registeredMethods] + methods,
            interceptors: telemetry.compactMap { $0 } + [
                LoggingInterceptor(logger: environment.logger, clock: environment.clock),
                authentication,
            ])
        let settings = environment.configuration
        var configuration = RPCServerConfiguration(
            address: address(environment),
            agent: "guildhall-\(name)/\(version)",
            incarnation: environment.databases.first?.incarnation ?? [])
        configuration.security = environment.security.server(of: name)
        configuration.limits = ServerLimits.limits(settings)
        // A program without a database hands such calls on, and waits with everybody's.
        if !environment.databases.isEmpty {
            configuration.reservedServices.formUnion(OperatorMethods.services)
            configuration.reservedMethods = OperatorMethods.paths
        }
        configuration.compression = settings.compression
        configuration.debugPage = settings.debugPage
        return RPCServer(
            router: router, configuration: configuration, loops: environment.loops,
            monitor: monitor, logger: environment.logger)
    }

    private func address(_ environment: ServiceEnvironment) -> RPCAddress {
        .tcp(host: environment.configuration.host, port: environment.configuration.port)
    }

    /// Ends in reverse order: readiness, then the server, then the work beside it.
    private func group(
        of parts: ServiceParts, _ server: RPCServer, in environment: ServiceEnvironment
    ) -> ServiceGroup {
        let housekeeping = environment.databases.map { database in
            ServiceChild("housekeeping") {
                try await Housekeeping(
                    database: database, clock: environment.clock, logger: environment.logger
                ).run()
            }
        }
        let losses = environment.losses.stream
        let watch = ServiceChild("commits") {
            for await reason in losses { throw LostCommit(reason: reason) }
        }
        // It ends first of all when the parent does, and takes the others with it, in order.
        let parent =
            environment.configuration.stopsWithParent
            ? [ServiceChild("parent") { await StandardInput.untilEnd() }] : []
        var services = (housekeeping + [watch] + parent + parts.children).map { child in
            ChildService(child: child).configured(child.name)
        }
        services.append(ServerService(server: server).configured("server"))
        services.append(
            ReadyService(
                server: server, name: name, environment: environment, suffix: parts.readySuffix,
                copies: parts.copies, copiesTimeMax: copiesTimeMax
            ).configured("readiness"))
        var quiet = environment.logger
        quiet.logLevel = max(quiet.logLevel, .warning)
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
        configuration.maximumGracefulShutdownDuration =
            environment.configuration.drainTimeout + Self.drainMargin
        configuration.maximumCancellationDuration = Self.cancellationTimeMax
        return ServiceGroup(configuration: configuration)
    }

    private func stop(_ error: any Error, _ exit: Exit) -> Exit {
        let text = "\(error)"
        let line = text.hasPrefix(name) ? text : "\(name): \(text)"
        StandardErrorLog.write("\(line)\n", to: STDERR_FILENO)
        return exit
    }
}

/// The outcome of a commit is unknown: the database must be opened again.
private struct LostCommit: Error, CustomStringConvertible {
    let reason: String
    var description: String { "the outcome of a commit is unknown (\(reason)); start again" }
}

/// The server cannot listen.
private struct ListeningFault: Error, CustomStringConvertible {
    let description: String
}

extension Service {
    /// Whatever ends before it is asked to takes the others with it, in order.
    fileprivate func configured(_ name: String) -> ServiceGroupConfiguration.ServiceConfiguration {
        ServiceGroupConfiguration.ServiceConfiguration(
            service: self, successTerminationBehavior: .gracefullyShutdownGroup,
            failureTerminationBehavior: .gracefullyShutdownGroup, serviceName: name)
    }
}

private struct ChildService: Service {
    let child: ServiceChild

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown(child.run)
        } catch is CancellationError {
            // It ends because it was asked to.
        }
    }
}

private struct ServerService: Service {
    let server: RPCServer

    func run() async throws {
        try await withGracefulShutdownHandler {
            do {
                try await server.run()
            } catch {
                throw ListeningFault(description: "cannot listen: \(error)")
            }
        } onGracefulShutdown: {
            server.shutdownGracefully()
        }
    }
}
