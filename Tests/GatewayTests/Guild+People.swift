import Access
import Messages
import RPC
import ServiceKit

@testable import Gateway

// The people of the guild, its addresses, and how one comes to it.

extension Guild {
    var people: [RegisteredMethod] {
        [
            serve(MembershipMethods.listMembers) {
                (request: ListMembersRequest, _) throws -> ListMembersReply in
                self.with { $0.askedMembers = request }
                if let refusal = self.with({ $0.listRefusal }) { throw refusal }
                let members = self.with { $0.members }
                return ListMembersReply(members: members, totalSize: Int64(members.count))
            },
            serve(MembershipMethods.addMember) {
                (request: AddMemberRequest, context) throws -> Member in
                try self.change("add", context) { state in
                    let member = Member(
                        organizationID: request.organizationID, userID: Stage.ada.text,
                        email: request.email, name: request.name, roles: request.roles,
                        state: .active)
                    state.members.append(member)
                    return member
                }
            },
            serve(MembershipMethods.getMember) {
                (request: GetMemberRequest, _) throws -> Member in
                let found = self.with { $0.members.first { $0.userID == request.userID } }
                guard let found else { throw Status.notFound("There is no such member.") }
                return found
            },
            serve(MembershipMethods.updateMember) {
                (request: UpdateMemberRequest, context) throws -> Member in
                let names = request.roles.map(\.words).joined(separator: ", ")
                return try self.change("roles: \(names)", context) { state in
                    guard
                        let index = state.members.firstIndex(where: { $0.userID == request.userID })
                    else { throw Status.notFound("There is no such member.") }
                    try Self.require(state.members[index].etag, context)
                    guard !request.roles.isEmpty else {
                        throw Status.invalid([
                            FieldFault(field: "roles", sentence: "A member has at least one role.")
                        ])
                    }
                    state.members[index].roles = request.roles
                    state.members[index].etag += "+"
                    return state.members[index]
                }
            },
            serve(MembershipMethods.blockMember) {
                (request: BlockMemberRequest, context) throws -> Member in
                try self.change("block \(request.userID)", context) { _ in
                    Member(userID: request.userID)
                }
            },
            serve(MembershipMethods.unblockMember) {
                (request: UnblockMemberRequest, context) throws -> Member in
                try self.change("unblock \(request.userID)", context) { _ in
                    Member(userID: request.userID)
                }
            },
            serve(MembershipMethods.removeMember) {
                (request: RemoveMemberRequest, context) throws -> Member in
                try self.change("remove \(request.userID)", context) { _ in
                    Member(userID: request.userID)
                }
            },
            serve(MembershipMethods.getUsage) { (_: GetUsageRequest, _) -> Usage in
                self.with { $0.usage }
            },
            serve(MembershipMethods.getSeats) { (_: GetSeatsRequest, _) -> Seats in
                self.with { $0.seats }
            },
            serve(MembershipMethods.getCaps) { (_: GetCapsRequest, _) throws -> Caps in
                if let refusal = self.with({ $0.listRefusal }) { throw refusal }
                return self.with { $0.caps }
            },
            serve(MembershipMethods.updateCaps) {
                (request: UpdateCapsRequest, context) throws -> Caps in
                let given: [(name: String, cap: Int64?)] = [
                    ("members", request.members), ("students", request.students),
                    ("teachers", request.teachers),
                ]
                let set = given.compactMap { kind in kind.cap.map { "\(kind.name) \($0)" } }
                let removed = request.remove.sorted().map { "no \($0)" }
                let name = "caps: " + (set + removed).joined(separator: ", ")
                return try self.change(name, context) { state in
                    try Self.require(state.caps.etag, context)
                    if let members = request.members { state.caps.members = members }
                    if let students = request.students { state.caps.students = students }
                    if let teachers = request.teachers { state.caps.teachers = teachers }
                    if request.remove.contains("members") { state.caps.members = nil }
                    if request.remove.contains("students") { state.caps.students = nil }
                    if request.remove.contains("teachers") { state.caps.teachers = nil }
                    state.caps.etag += "+"
                    return state.caps
                }
            },
            serve(MembershipMethods.updateSeats) {
                (request: UpdateSeatsRequest, context) throws -> Seats in
                let match = context.metadata[text: MetadataKey.ifMatch] ?? "none"
                return try self.change("seats \(request.seatCount ?? -1) of \(match)", context) {
                    state in
                    try Self.require(state.seats.etag, context)
                    state.seats.seatCount = request.seatCount
                    state.seats.etag += "+"
                    return state.seats
                }
            },
        ]
    }

    var places: [RegisteredMethod] {
        [
            serve(ContactsMethods.getContactReceivers) {
                (request: GetContactReceiversRequest, _) -> ContactReceivers in
                ContactReceivers(
                    organizationID: request.organizationID, own: self.with { $0.receivers },
                    effective: [
                        EffectiveReceivers(
                            kind: .booking, addresses: ["desk@district.example"],
                            sourceOrganizationID: Self.district),
                        EffectiveReceivers(kind: .product, addresses: ["us@platform.example"]),
                    ], etag: self.with { $0.receiversTag })
            },
            serve(ContactsMethods.setContactReceivers) {
                (request: SetContactReceiversRequest, context) throws -> ContactReceivers in
                try self.change("contacts", context) { state in
                    try Self.require(state.receiversTag, context)
                    state.receivers = request.receivers
                    state.receiversTag += "+"
                    return ContactReceivers()
                }
            },
            serve(OrganizationsMethods.listEmailMasks) {
                (_: ListEmailMasksRequest, _) -> ListEmailMasksReply in
                ListEmailMasksReply(emailMasks: self.with { $0.masks })
            },
            serve(OrganizationsMethods.createEmailMask) {
                (request: CreateEmailMaskRequest, context) throws -> EmailMask in
                try self.change("mask \(request.value)", context) { _ in EmailMask() }
            },
            serve(EmailMasksMethods.confirmEmailMask) {
                (request: ConfirmEmailMaskRequest, context) throws -> EmailMask in
                let way = request.verification == .dns ? "verify" : "confirm"
                return try self.change("\(way) \(request.value)", context) { _ in EmailMask() }
            },
            serve(EmailMasksMethods.deleteEmailMask) {
                (request: DeleteEmailMaskRequest, context) throws -> DeleteEmailMaskReply in
                try self.change("unmask \(request.value)", context) { _ in DeleteEmailMaskReply() }
            },
            serve(CustomUrlsMethods.listCustomUrls) {
                (_: ListCustomUrlsRequest, _) -> ListCustomUrlsReply in
                ListCustomUrlsReply(customURLs: self.with { $0.urls })
            },
            serve(CustomUrlsMethods.createCustomUrl) {
                (request: CreateCustomUrlRequest, context) throws -> CustomUrl in
                try self.change("url \(request.slug)", context) { _ in CustomUrl() }
            },
            serve(CustomUrlsMethods.disableCustomUrl) {
                (request: DisableCustomUrlRequest, context) throws -> CustomUrl in
                try self.change("disable \(request.slug)", context) { _ in CustomUrl() }
            },
            serve(CustomUrlsMethods.enableCustomUrl) {
                (request: EnableCustomUrlRequest, context) throws -> CustomUrl in
                try self.change("enable \(request.slug)", context) { _ in CustomUrl() }
            },
            serve(CustomUrlsMethods.deleteCustomUrl) {
                (request: DeleteCustomUrlRequest, context) throws -> CustomUrl in
                try self.change("release \(request.slug)", context) { _ in CustomUrl() }
            },
            serve(CustomUrlsMethods.resolveCustomUrl) {
                (request: ResolveCustomUrlRequest, context) throws -> ResolveCustomUrlReply in
                try context.require(.resolveCustomURL)
                switch request.slug {
                case "springfield":
                    return ResolveCustomUrlReply(organizationID: Self.school, slug: "springfield")
                case "shut":
                    throw Status.refusal(.customURLDisabled, "This custom URL is shut down.")
                default: throw Status.notFound("There is no such custom URL.")
                }
            },
        ]
    }

    var signUps: [RegisteredMethod] {
        [
            serve(SignUpsMethods.listPendingSignUps) {
                (request: ListPendingSignUpsRequest, _) -> ListPendingSignUpsReply in
                let (waiting, later) = self.with { ($0.waiting, $0.laterWaiting) }
                return ListPendingSignUpsReply(
                    pendingSignUps: request.pageToken.isEmpty ? waiting : later ?? waiting,
                    totalSize: Int64(waiting.count + (later?.count ?? 0)))
            },
            serve(SignUpsMethods.approvePendingSignUp) {
                (request: ApprovePendingSignUpRequest, context) throws -> PendingSignUp in
                try self.change("approve \(request.userID)", context) { state in
                    state.waiting.removeAll { $0.userID == request.userID }
                    state.laterWaiting?.removeAll { $0.userID == request.userID }
                    return PendingSignUp(userID: request.userID, state: .approved)
                }
            },
            serve(SignUpsMethods.rejectPendingSignUp) {
                (request: RejectPendingSignUpRequest, context) throws -> PendingSignUp in
                try self.change("reject \(request.userID)", context) { state in
                    state.waiting.removeAll { $0.userID == request.userID }
                    return PendingSignUp(userID: request.userID, state: .rejected)
                }
            },
            serve(SignUpsMethods.signUp) {
                (request: SignUpRequest, context) throws -> SignUpReply in
                try self.change("sign up", context) { state in
                    guard request.password.count >= 8 else {
                        throw Status.invalid([
                            FieldFault(field: "password", sentence: "At least 8 characters.")
                        ])
                    }
                    state.signUp = request
                    return SignUpReply()
                }
            },
            serve(SignUpsMethods.verifyEmail) {
                (request: VerifyEmailRequest, context) throws -> VerifyEmailReply in
                try self.change("verify", context) { _ in
                    guard request.token == "good" else {
                        throw Status.refusal(.verificationExpired, "This link is no longer good.")
                    }
                    guard request.password == Self.password else {
                        throw Status.refusal(
                            .wrongCredentials, "The email address or the password is wrong.")
                    }
                    return VerifyEmailReply(
                        userID: Stage.ada.text, organizationID: Self.school,
                        organizationTitle: "School <b>")
                }
            },
            serve(SignUpsMethods.createOwnOrganization) {
                (request: CreateOwnOrganizationRequest, context) throws
                    -> CreateOwnOrganizationReply in
                try self.change("found \(request.title): \(request.reference)", context) { _ in
                    CreateOwnOrganizationReply(organizationID: Self.school, title: request.title)
                }
            },
        ]
    }
}
