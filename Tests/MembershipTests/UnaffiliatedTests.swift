import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Membership

/// Who is found by the domain of an address, while belonging to no organization.
@Suite struct `people without an organization` {
    static let coverings: [(email: String, patterns: [String])] = [
        ("ada@company.com", ["company.com", "*.company.com"]),
        ("ada@a.company.com", ["a.company.com", "*.a.company.com", "*.company.com"]),
        // Ten labels are a mask; with the star they are eleven.
        (
            "ada@1.2.3.4.5.6.7.8.a.com",
            [
                "1.2.3.4.5.6.7.8.a.com", "*.2.3.4.5.6.7.8.a.com", "*.3.4.5.6.7.8.a.com",
                "*.4.5.6.7.8.a.com", "*.5.6.7.8.a.com", "*.6.7.8.a.com", "*.7.8.a.com",
                "*.8.a.com", "*.a.com",
            ]
        ),
        (
            "ada@0.1.2.3.4.5.6.7.8.a.com",
            [
                "*.2.3.4.5.6.7.8.a.com", "*.3.4.5.6.7.8.a.com", "*.4.5.6.7.8.a.com",
                "*.5.6.7.8.a.com", "*.6.7.8.a.com", "*.7.8.a.com", "*.8.a.com", "*.a.com",
            ]
        ),
        ("nobody", []),
    ]

    @Test(arguments: coverings)
    func `are known by every mask that may cover their address`(
        email: String, patterns: [String]
    ) {
        #expect(DomainPatterns.covering(email: email) == patterns)
    }

    @Test func `are found by their domain, or by it and those below, in the order of identifiers`()
        async throws
    {
        let hall = try Hall()
        var people: [String: UserID] = [:]
        for domain in [
            "b.company.com", "company.com", "a.b.company.com", "mycompany.com", "company.com.evil",
            "company.co", "zcompany.com",
        ] { people[domain] = try await hall.person(at: domain) }
        let second = try await hall.person(at: "company.com")

        let exact = try await hall.unaffiliated(of: "company.com")
        let wide = try await hall.unaffiliated(of: "company.com", withSubdomains: true)
        let below = try await hall.unaffiliated(of: "b.company.com", withSubdomains: true)

        #expect(exact == [people["company.com"]?.text, second.text])
        #expect(
            wide == [
                people["b.company.com"]?.text, people["company.com"]?.text,
                people["a.b.company.com"]?.text, second.text,
            ])
        #expect(below == [people["b.company.com"]?.text, people["a.b.company.com"]?.text])
    }

    @Test func `come in pages that miss nobody and repeat nobody`() async throws {
        let hall = try Hall()
        var people: [String] = []
        for number in 0..<25 {
            people.append(
                try await hall.person(at: number % 2 == 0 ? "company.com" : "a.company.com").text)
        }

        for size in [1, 7, 25, 1_000] as [Int32] {
            var found: [String] = []
            var pages = 0
            var reply = ListUnaffiliatedUsersReply()
            repeat {
                reply = try await hall.service("organizations").listUnaffiliatedUsers(
                    ListUnaffiliatedUsersRequest(
                        domain: "company.com", subdomains: true,
                        afterUserID: found.last ?? "", pageSize: size))
                found += reply.users.map(\.id)
                pages += 1
            } while reply.more && pages < 100
            #expect(found == people)
            #expect(pages == (25 + Int(size) - 1) / Int(size))
        }
    }

    @Test func `are those with a verified address and no membership but ended ones`() async throws {
        let hall = try Hall()
        let school = try await hall.organization()
        let closed = try await hall.organization()
        let free = try await hall.person()
        _ = try await hall.person(isVerified: false)
        let member = try await hall.admit(to: school)
        let former = try await hall.admit(to: school)
        let blocked = try await hall.admit(to: school)
        let elsewhere = try await hall.admit(to: school)
        try await hall.admit(elsewhere, to: closed)
        let archived = try await hall.admit(to: closed)
        #expect(try await hall.unaffiliated(of: "example.com") == [free.text])

        let owner = hall.platformOwner
        for person in [former, elsewhere] {
            _ = try await owner.removeMember(
                RemoveMemberRequest(organizationID: school.text, userID: person.text))
        }
        _ = try await owner.blockMember(
            BlockMemberRequest(organizationID: school.text, userID: blocked.text))
        try await hall.organization(closed, archived: true)

        #expect(try await hall.unaffiliated(of: "example.com") == [free.text, former.text])
        #expect(
            try await hall.unaffiliated(of: "example.com", withSubdomains: true)
                == [free.text, former.text])
        // Whoever is archived comes back with the organization; whoever is blocked is still of it.
        for person in [member, archived, blocked, elsewhere] {
            #expect(try await hall.database.read { try $0.isAffiliated(person) })
        }
        _ = try await owner.removeMember(
            RemoveMemberRequest(organizationID: school.text, userID: blocked.text))
        #expect(
            try await hall.unaffiliated(of: "example.com") == [
                free.text, former.text, blocked.text,
            ])
        try await hall.admit(former, to: school)
        #expect(
            try await hall.unaffiliated(of: "example.com") == [free.text, blocked.text])
        try await expectInvariants(hall)
    }

    @Test func `are read from one range of one table, whoever else there is`() async throws {
        let hall = try Hall()
        let ada = try await hall.person()

        for after in [nil, ada] {
            let plan = try await hall.database.read { snapshot in
                try snapshot.rows(
                    """
                    EXPLAIN QUERY PLAN \(Statements.unaffiliatedUsers(
                        matching: "*.example.com", after: after, limit: 11))
                    """
                ) { try $0.text(3) }
            }
            #expect(
                plan == [
                    "SEARCH f USING PRIMARY KEY (pattern=? AND user_id>?)",
                    "SEARCH u USING PRIMARY KEY (id=?)",
                ])
        }
    }

    @Test func `are told to Organizations alone, for a domain that a mask can have`() async throws {
        let hall = try Hall()
        let request = ListUnaffiliatedUsersRequest(domain: "company.com", pageSize: 10)
        let client = hall.service("organizations")

        _ = try await client.listUnaffiliatedUsers(request)
        for other in [hall.platformOwner, hall.service("partners"), hall.service("gateway")] {
            let refused = await refusal { try await other.listUnaffiliatedUsers(request) }
            #expect(refused?.code == .permissionDenied)
        }
        for domain in [
            "", "com", "Company.com", "*.company.com", "company..com", "-a.com", "b\u{FC}cher.de",
            "1.2.3.4.5.6.7.8.9.company.com", String(repeating: "a.", count: 127) + "com",
        ] {
            let refused = await refusal {
                try await client.listUnaffiliatedUsers(
                    ListUnaffiliatedUsersRequest(domain: domain, pageSize: 10))
            }
            #expect(refused?.reason == "validation", "\(domain)")
        }
        let deepest = "1.2.3.4.5.6.7.8.company.com"
        _ = try await client.listUnaffiliatedUsers(
            ListUnaffiliatedUsersRequest(domain: deepest, pageSize: 10))
        let deeper = await refusal {
            try await client.listUnaffiliatedUsers(
                ListUnaffiliatedUsersRequest(domain: deepest, subdomains: true, pageSize: 10))
        }
        #expect(deeper?.reason == "validation")
        for size in [-1, 0, 1_001] as [Int32] {
            let refused = await refusal {
                try await client.listUnaffiliatedUsers(
                    ListUnaffiliatedUsersRequest(domain: "company.com", pageSize: size))
            }
            #expect(refused?.reason == "validation", "\(size)")
        }
    }

    @Test func `have addresses that staff of the whole platform alone may vouch for`() async throws
    {
        let hall = try Hall()
        let school = try await hall.organization()
        func create(
            _ client: MembershipClient, _ number: Int, isVerified: Bool
        ) async throws -> User {
            try await client.createUser(
                CreateUserRequest(
                    email: "ada\(number)@company.com", name: "Ada", emailVerified: isVerified))
        }

        let owned = try await create(hall.platformOwner, 1, isVerified: true)
        let global = try await create(hall.acting(.globalAdmin), 2, isVerified: true)
        let plain = try await create(hall.platformOwner, 3, isVerified: false)
        let others = [
            hall.acting(.platformAdmin), hall.acting(.partner), hall.acting(.owner, at: school),
            hall.acting(.platformAdmin, at: school), hall.service("organizations"),
        ]
        for (index, other) in others.enumerated() {
            let refused = await refusal { try await create(other, 10 + index, isVerified: true) }
            #expect(refused?.code == .permissionDenied, "\(index)")
        }

        #expect(owned.emailVerified && global.emailVerified && !plain.emailVerified)
        #expect(
            try await hall.platformOwner.getUser(GetUserRequest(id: owned.id)).emailVerified)
        #expect(try await hall.unaffiliated(of: "company.com") == [owned.id, global.id])
        let users = try await hall.database.read { snapshot in
            try snapshot.row("SELECT count(*) FROM user") { try $0.int(0) }
        }
        #expect(users == 3)
    }
}

extension Hall {
    /// Who is answered for a domain, all at once.
    func unaffiliated(
        of domain: String, withSubdomains: Bool = false
    ) async throws -> [String] {
        let reply = try await service("organizations").listUnaffiliatedUsers(
            ListUnaffiliatedUsersRequest(
                domain: domain, subdomains: withSubdomains, pageSize: 1_000))
        #expect(!reply.more)
        return reply.users.map(\.id)
    }
}
