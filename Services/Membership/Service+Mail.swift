import Access
import Messages
import RPC
import ServiceKit
import Storage

// Where mails about an organization go: Organizations asks when it writes one.

extension Service {
    func listMailAddresses(
        _ request: ListMailAddressesRequest, _ context: CallContext
    ) async throws -> ListMailAddressesReply {
        try context.require(.readMailAddresses)
        let organization = try OrganizationID(
            requestText: request.organizationID, field: "organization_id")
        return try await whenKnown {
            try await database.read { snapshot in
                _ = try path(to: organization, context, in: snapshot)
                let owners = try snapshot.ownerAddresses(of: organization)
                let addresses =
                    owners.isEmpty ? try snapshot.managerAddresses(of: organization) : owners
                return ListMailAddressesReply(addresses: addresses)
            }
        }
    }
}
