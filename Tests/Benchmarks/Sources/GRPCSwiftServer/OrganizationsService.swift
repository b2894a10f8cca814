import GRPCCore
import GRPCProtobuf

/// Answers one organization; registered as grpc-swift's generator does it.
struct OrganizationsService: RegistrableRPCService {
    typealias Request = Guildhall_Organizations_V1_GetOrganizationRequest
    typealias Reply = Guildhall_Organizations_V1_Organization

    let reply: Reply

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerHandler(
            forMethod: MethodDescriptor(
                fullyQualifiedService: "guildhall.organizations.v1.Organizations",
                method: "GetOrganization"),
            deserializer: ProtobufDeserializer<Request>(),
            serializer: ProtobufSerializer<Reply>()
        ) { request, context in
            let response = try await getOrganization(
                request: ServerRequest(stream: request), context: context)
            return StreamingServerResponse(single: response)
        }
    }

    private func getOrganization(
        request: ServerRequest<Request>, context: ServerContext
    ) async throws -> ServerResponse<Reply> {
        ServerResponse(message: reply)
    }
}
