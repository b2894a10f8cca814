import ArgumentParser
import DynamicMessages
import Messages
import RPC

/// What a server can be asked, as it says itself.
struct RemoteAPI: Sendable {
    /// Asking a server what it has takes at most so long.
    static let reflectionTimeout: Duration = .seconds(10)

    /// The messages, enums and services that its files declare.
    let schema: Schema
    /// The services that it has, by full name.
    let services: [ServiceType]

    /// Asks a server.
    ///
    /// - Parameters:
    ///   - channel: Leads to the server.
    ///   - options: Accompany the calls that ask.
    /// - Throws: ``RPC/Status``, or why the descriptors are of no use.
    init(asking channel: any Channel, options: CallOptions = CallOptions()) async throws {
        var options = options
        options.timeout = Self.reflectionTimeout
        let client = ReflectionClient(channel)
        let names: [String]
        let files: [[UInt8]]
        do {
            names = try await client.listServices(ListServicesRequest(), options: options).services
            files = try await client.getFileDescriptors(
                GetFileDescriptorsRequest(), options: options
            ).files
        } catch let status as Status where status.code == .unimplemented {
            throw ValidationError("The server does not describe itself: it has no reflection.")
        }
        let schema = try Schema(files: files)
        self.schema = schema
        services = names.compactMap { schema.services[$0] }
    }

    /// The methods that the server has.
    var methods: [MethodType] { services.flatMap(\.methods) }

    /// The method with a name: `package.Service/Method`, `Service/Method`, or `Method` alone when
    /// one service has it.
    ///
    /// - Throws: When there is none, or more than one; what was meant is suggested.
    func method(named name: String) throws(ValidationError) -> MethodType {
        let found = methods.filter { Self.names($0).contains(name) }
        if found.count == 1 { return found[0] }
        guard found.isEmpty else {
            let paths = found.map(\.path).joined(separator: "\n  ")
            throw ValidationError("\(name) can be any of these:\n  \(paths)")
        }
        throw ValidationError(
            "The server has no method \(name)\(suggestion(for: name, methods.flatMap(Self.names)))")
    }

    /// The service with a name, full or without its package; nil when there is none or more.
    func service(named name: String) -> ServiceType? {
        Self.only(services.filter { $0.fullName == name || Self.last($0.fullName) == name })
    }

    /// The full name of a message or enum, given in full or without its package; nil when there
    /// is none.
    ///
    /// - Throws: When there is more than one.
    func type(named name: String) throws(ValidationError) -> String? {
        let names = Array(schema.messages.keys) + Array(schema.enums.keys)
        if names.contains(name) { return name }
        let found = names.filter { $0.hasSuffix("." + name) }.sorted()
        guard found.count > 1 else { return found.first }
        throw ValidationError("\(name) can be any of these:\n  \(found.joined(separator: "\n  "))")
    }

    /// What may have been meant by a name that nothing has.
    func suggestion(for name: String, _ names: [String]) -> String {
        guard let near = NearName.nearest(to: name, among: names) else { return "." }
        return "; is \(near) meant?"
    }

    /// Every name that `describe` takes.
    var names: [String] {
        let types = Array(schema.messages.keys) + Array(schema.enums.keys)
        let full = services.map(\.fullName) + types
        return full + full.map(Self.last) + methods.flatMap(Self.names)
    }

    private static func names(_ method: MethodType) -> [String] {
        [method.path, "\(last(method.service))/\(method.name)", method.name]
    }

    private static func last(_ name: String) -> String {
        name.split(separator: ".").last.map(String.init) ?? name
    }

    private static func only<Element>(_ elements: [Element]) -> Element? {
        elements.count == 1 ? elements[0] : nil
    }
}

extension MethodType {
    /// The method as a channel calls it.
    var descriptor: MethodDescriptor {
        let kind: MethodDescriptor.Kind =
            switch (streamsRequests, streamsReplies) {
            case (false, false): .unary
            case (false, true): .serverStreaming
            case (true, false): .clientStreaming
            case (true, true): .bidirectional
            }
        let repetition: MethodDescriptor.Idempotency =
            switch idempotency {
            case .noSideEffects: .safe
            case .idempotent: .keyed
            case .unknown: .unknown
            }
        return MethodDescriptor(service: service, name: name, kind: kind, idempotency: repetition)
    }
}
