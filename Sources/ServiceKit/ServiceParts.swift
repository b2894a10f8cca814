public import RPC
public import Storage

/// Work that goes on beside the calls, for as long as the program runs.
public struct ServiceChild: Sendable {
    /// Its name, in logs.
    public let name: String
    /// Does the work until it is cancelled.
    let run: @Sendable () async throws -> Void

    /// Work with a name.
    ///
    /// - Parameters:
    ///   - name: Its name, in logs.
    ///   - run: Does the work until it is cancelled; returning or throwing before ends the program.
    public init(_ name: String, _ run: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.run = run
    }
}

/// What a program consists of beside what every program has.
public struct ServiceParts: Sendable {
    /// The methods of its services, as generated.
    public var methods: [[RegisteredMethod]]
    /// The methods that need no principal.
    public var openMethods: Set<MethodDescriptor>
    /// Work beside the calls; begins before calls are accepted and ends after the last.
    public var children: [ServiceChild]
    /// Copies of what other services say, each kept by a child.
    ///
    /// The program is ready once they have caught up, or its time for that is over.
    public var copies: [FeedConsumer]
    /// Finds out who calls; nil for principals signed by trusted processes.
    public var authentication: (any ServerInterceptor)?
    /// What can be recomputed of the service's database, for operators who ask.
    public var verifiers: [Verifier]
    /// What the line that says `ready` ends with, once it is known.
    public var readySuffix: (@Sendable () async throws -> String)?

    /// The parts of a program.
    public init(
        methods: [[RegisteredMethod]], openMethods: Set<MethodDescriptor> = [],
        children: [ServiceChild] = [], copies: [FeedConsumer] = [],
        authentication: (any ServerInterceptor)? = nil, verifiers: [Verifier] = [],
        readySuffix: (@Sendable () async throws -> String)? = nil
    ) {
        self.methods = methods
        self.openMethods = openMethods
        self.children = children
        self.copies = copies
        self.authentication = authentication
        self.verifiers = verifiers
        self.readySuffix = readySuffix
    }
}
