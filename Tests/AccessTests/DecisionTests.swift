import Access
import Testing

/// A district with a school with a classroom, and somebody else's organization.
struct Tree {
    let district: OrganizationID
    let school: OrganizationID
    let classroom: OrganizationID
    let stranger: OrganizationID

    init() {
        let source = IdentifierSource(milliseconds: { 1_000 })
        district = source.next()
        school = source.next()
        classroom = source.next()
        stranger = source.next()
    }

    func path(_ id: OrganizationID) -> [OrganizationID] {
        id == stranger
            ? [stranger] : Array([district, school, classroom].prefix { $0 != id }) + [id]
    }

    func person(_ role: Role, at node: OrganizationID?) -> Principal {
        person([Grant(role, at: node)])
    }

    func person(_ grants: [Grant]) -> Principal {
        Principal(
            subject: .user(IdentifierSource(milliseconds: { 7 }).next()), grants: grants)
    }
}

@Suite struct DecisionTests {
    private let tree = Tree()

    @Test func `outside one's scope nothing is told`() {
        let owner = tree.person(.owner, at: tree.school)

        #expect(owner.decide(.editOrganization, at: tree.path(tree.district)) == .notFound)
        #expect(owner.decide(.editOrganization, at: tree.path(tree.stranger)) == .notFound)
    }

    @Test func `inside one's scope a missing right is said`() {
        let student = tree.person(.student, at: tree.school)

        #expect(student.decide(.editOrganization, at: tree.path(tree.school)) == .forbidden)
    }

    @Test func `somebody without grants sees nothing`() {
        let nobody = tree.person([])

        #expect(nobody.decide(.viewOrganization, at: tree.path(tree.school)) == .notFound)
        #expect(nobody.decide(.createRootOrganization, at: []) == .forbidden)
    }

    @Test func `rights of several grants add up`() {
        let person = tree.person([
            Grant(.student, at: tree.district), Grant(.orgAdmin, at: tree.school),
        ])

        #expect(person.decide(.editOrganization, at: tree.path(tree.school)) == .allowed)
        #expect(person.decide(.editOrganization, at: tree.path(tree.district)) == .forbidden)
    }

    @Test func `a condition counts only when it is met`() {
        let manager = tree.person(.manager, at: tree.school)
        let path = tree.path(tree.school)

        #expect(manager.decide(.editOrganization, at: path) == .forbidden)
        #expect(manager.decide(.editOrganization, at: path, meeting: [.view]) == .forbidden)
        #expect(manager.decide(.editOrganization, at: path, meeting: [.titleOnly]) == .allowed)
    }

    @Test func `a sales or organization role without a node reaches no organization`() {
        for role in Role.allCases where ![.platform, .subtreeOrPlatform].contains(role.reach) {
            let person = tree.person(role, at: nil)
            #expect(person.decide(.viewOrganization, at: tree.path(tree.school)) == .notFound)
        }
    }

    @Test func `an administrator of the platform without a node reaches everything`() {
        let admin = tree.person(.platformAdmin, at: nil)

        #expect(admin.decide(.restoreOrganization, at: tree.path(tree.stranger)) == .allowed)
        #expect(admin.decide(.createRootOrganization, at: []) == .allowed)
    }

    @Test(arguments: [
        (Role.platformOwner, Decision.allowed), (.globalAdmin, .allowed),
        (.platformAdmin, .forbidden), (.partner, .allowed), (.reseller, .allowed),
        (.owner, .forbidden), (.orgAdmin, .forbidden), (.member, .forbidden),
    ])
    func `roots are created by those who sell and by the platform`(
        role: Role, expected: Decision
    ) {
        let person = tree.person(role, at: tree.school)

        #expect(person.decide(.createRootOrganization, at: []) == expected)
    }

    @Test func `a sign-up may create one root`() {
        let newcomer = tree.person([])

        #expect(
            newcomer.decide(.createRootOrganization, at: [], meeting: [.signUpOnce]) == .allowed)
        #expect(newcomer.decide(.createPartner, at: [], meeting: [.signUpOnce]) == .forbidden)
    }

    @Test func `a move needs the right at both ends`() {
        let both = tree.person([
            Grant(.partner, at: tree.district), Grant(.partner, at: tree.stranger),
        ])
        let one = tree.person([
            Grant(.partner, at: tree.district), Grant(.owner, at: tree.stranger),
        ])
        let source = tree.path(tree.school)

        #expect(both.decideMove(from: source, to: [tree.stranger]) == .allowed)
        #expect(both.decideMove(from: source, to: []) == .allowed)
        #expect(one.decideMove(from: source, to: [tree.stranger]) == .forbidden)
        #expect(
            tree.person(.partner, at: tree.district)
                .decideMove(from: source, to: [tree.stranger]) == .notFound)
    }

    @Test func `an owner moves only what lies below, and only below`() {
        let owner = tree.person(.owner, at: tree.district)

        #expect(
            owner.decideMove(from: tree.path(tree.classroom), to: tree.path(tree.district))
                == .allowed)
        #expect(
            owner.decideMove(from: tree.path(tree.district), to: tree.path(tree.school))
                == .forbidden)
        #expect(owner.decideMove(from: tree.path(tree.school), to: []) == .forbidden)
    }

    @Test func `nobody gives a role that is stronger than the own`() {
        let path = tree.path(tree.school)
        let manager = tree.person(.manager, at: tree.school)
        let admin = tree.person(.orgAdmin, at: tree.school)
        let reseller = tree.person(.reseller, at: tree.school)

        #expect(manager.decideGrant(of: .manager, at: path) == .allowed)
        #expect(manager.decideGrant(of: .orgAdmin, at: path) == .forbidden)
        #expect(admin.decideGrant(of: .orgAdmin, at: path) == .allowed)
        #expect(admin.decideGrant(of: .owner, at: path) == .forbidden)
        #expect(reseller.decideGrant(of: .owner, at: path) == .forbidden)
        #expect(
            tree.person(.platformOwner, at: nil).decideGrant(of: .globalAdmin, at: path)
                == .forbidden)
    }

    @Test func `a service sees organizations and has no role`() {
        let service = Principal(subject: .service("partners"))

        #expect(service.decide(.viewOrganization, at: tree.path(tree.school)) == .allowed)
        for action in Action.allCases where action != .viewOrganization {
            #expect(service.decide(action, at: tree.path(tree.school)) == .forbidden)
        }
    }

    @Test func `a service does what its table says and people never do`() {
        let partners = Principal(subject: .service("partners"))
        let stranger = Principal(subject: .service("elsewhere"))
        let owner = tree.person(.platformOwner, at: nil)

        #expect(partners.decide(.prepareOrganization) == .allowed)
        #expect(partners.decide(.authenticateSessions) == .forbidden)
        #expect(partners.decide(.previewMove) == .forbidden)
        let organizations = Principal(subject: .service("organizations"))
        #expect(organizations.decide(.previewMove) == .allowed)
        for action in ServiceAction.allCases {
            #expect(stranger.decide(action) == .forbidden)
            #expect(owner.decide(action) == .forbidden)
        }
    }

    @Test func `a pause suspends the roles held there and below, but for ending it`() {
        let path = tree.path(tree.school)
        let owner = tree.person(.owner, at: tree.school)
        let above = tree.person(.owner, at: tree.district)
        let staff = tree.person(.globalAdmin, at: nil)

        #expect(
            owner.decide(.editOrganization, at: path, pausedAt: tree.school)
                == .suspended(at: tree.school))
        #expect(
            above.decide(.editOrganization, at: path, pausedAt: tree.district)
                == .suspended(at: tree.district))
        #expect(owner.decide(.changeActivation, at: path, pausedAt: tree.school) == .allowed)
        #expect(above.decide(.editOrganization, at: path, pausedAt: tree.school) == .allowed)
        #expect(staff.decide(.editOrganization, at: path, pausedAt: tree.district) == .allowed)
        #expect(owner.decide(.setMembersLimit, at: path, pausedAt: tree.school) == .forbidden)
        #expect(
            tree.person(.owner, at: tree.district)
                .decide(.viewOrganization, at: path) == .allowed)
    }

    @Test func `a program may what a person of its role may`() {
        let key: APIKeyID = IdentifierSource(milliseconds: { 9 }).next()
        let path = tree.path(tree.school)
        for role in Role.allCases {
            let grants = [Grant(role, at: tree.school)]
            let program = Principal(subject: .apiKey(key), grants: grants)
            let person = tree.person(grants)
            for action in Action.allCases {
                #expect(program.decide(action, at: path) == person.decide(action, at: path))
                #expect(
                    program.decide(action, at: path, pausedAt: tree.school)
                        == person.decide(action, at: path, pausedAt: tree.school))
                #expect(program.decide(action, at: []) == person.decide(action, at: []))
            }
            let (end, other) = (tree.path(tree.classroom), tree.path(tree.district))
            #expect(
                program.decideMove(from: end, to: other) == person.decideMove(from: end, to: other))
            #expect(
                program.decideMove(from: end, to: path) == person.decideMove(from: end, to: path))
        }
        for action in ServiceAction.allCases {
            #expect(Principal(subject: .apiKey(key)).decide(action) == .forbidden)
        }
    }

    @Test func `no program signs up`() {
        let key: APIKeyID = IdentifierSource(milliseconds: { 9 }).next()
        let program = Principal(subject: .apiKey(key))
        let (create, once) = (Action.createRootOrganization, Set([Condition.signUpOnce]))

        #expect(tree.person([]).decide(create, at: [], meeting: once) == .allowed)
        #expect(program.decide(create, at: [], meeting: once) == .forbidden)
        #expect(program.userID == nil && program.serviceName == nil)
        #expect(program.scope == "apiKey:\(key.text)")
    }

    @Test func `the scope of keys tells people from services`() {
        #expect(Principal(subject: .service("partners")).scope == "service:partners")
        #expect(tree.person([]).scope.hasPrefix("user:"))
    }
}
