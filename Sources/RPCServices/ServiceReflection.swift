public import Messages
public import RPC

/// Tells what this server can be asked: its services, with the .proto files that declare them.
///
/// It answers for the services that the router has, and no other: a service that is linked into
/// the program but not served stays unknown. It needs no principal, as ``ServiceHealth`` does: what
/// it says is published with the product and holds no data, whoever reaches the port could find
/// the methods by calling them, and a tool that has no .proto files has to ask before it can make
/// any other call. Each answer is copied from memory, and the limits of every call bound them.
public struct ServiceReflection: ReflectionService {
    /// The full name of the service, whose calls need no principal.
    public static let serviceName = ReflectionMethods.listServices.service

    private let services: [String]
    private let files: DescriptorFiles
    /// The files that the services need.
    private let served: Set<String>
    /// The files of all services, in the order in which they are answered.
    private let all: [String]

    /// Reflection for a server.
    ///
    /// - Parameters:
    ///   - methods: Every method that the server has; those of reflection need not be among them.
    ///   - descriptors: An encoded `google.protobuf.FileDescriptorSet`, such as the generated
    ///     `FileDescriptors.set`; it may declare more. The files of the services of this library
    ///     need not be in it.
    public init(of methods: [MethodDescriptor], descriptors: [UInt8]) {
        let names = Set(methods.map(\.service)).union([Self.serviceName])
        services = names.sorted()
        files = DescriptorFiles(set: FileDescriptors.set + descriptors)
        all = files.closure(of: services.compactMap(files.name(declaring:)))
        served = Set(all)
    }

    /// Answers the services that this server has.
    public func listServices(
        _ request: ListServicesRequest, _ context: CallContext
    ) async throws -> ListServicesReply {
        ListServicesReply(services: services)
    }

    /// Answers files with everything that they import.
    public func getFileDescriptors(
        _ request: GetFileDescriptorsRequest, _ context: CallContext
    ) async throws -> GetFileDescriptorsReply {
        let names = try names(for: request.subject)
        return GetFileDescriptorsReply(files: names.compactMap { files.byName[$0]?.bytes })
    }

    private func names(for subject: GetFileDescriptorsRequest.Subject?) throws(Status) -> [String] {
        switch subject {
        case nil: return all
        case .service(let service):
            guard services.contains(service) else {
                throw Status(.notFound, "This server has no service \(service.prefix(200)).")
            }
            guard let name = files.name(declaring: service) else {
                throw Status(.notFound, "No file of this server declares \(service.prefix(200)).")
            }
            return files.closure(of: [name])
        case .file(let name):
            guard served.contains(name) else {
                throw Status(.notFound, "This server has no file \(name.prefix(200)).")
            }
            return files.closure(of: [name])
        }
    }
}
