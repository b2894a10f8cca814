import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Partners

/// What organizations may use: their own sets, as far as every ancestor may.
@Suite(.serialized) struct OrganizationModuleTests {
    private let bench: Bench
    private let district: OrganizationID
    private let school: OrganizationID
    private let room: OrganizationID

    init() throws {
        bench = try Bench()
        district = bench.plant("District")
        school = bench.plant("School", below: district)
        room = bench.plant("Room", below: school)
    }

    @Test func `where nothing is set every module may be used, also those to come`() async throws {
        try await bench.life { life in
            _ = try await life.module("Music")

            let set = try await life.modules(of: room)

            #expect(
                set
                    == OrganizationModuleSet(
                        organizationID: room.text, unrestricted: true, version: 0, etag: "v0"))
        }
    }

    @Test func `a set holds as far as every ancestor may use it, chapters included`() async throws {
        try await bench.life { life in
            let music = try await life.module("music", chapters: ["1", "2", "3"])
            let art = try await life.module("Art", chapters: ["1", "2"])
            let code = try await life.module("Code")
            try await life.set(
                [.of(art, chapters: 0), .of(music, chapters: 1, 2), .of(code)], at: district)
            let below = try await life.modules(of: room)
            try await life.set([.of(art, chapters: 1), .of(music, chapters: 2, 0)], at: school)
            let set = try await life.set([.of(music), .of(art), .of(code)], at: room)

            #expect(below.short == ["Art 1", "Code", "music 2"] && below.own == nil)
            #expect(!below.unrestricted)
            // Of Art no chapter is common, and the school has no Code.
            #expect(set.short == ["music 1"])
            #expect(set.effective.first?.chapterIDs == [music.chapters[2].id])
            #expect(set.own?.modules == [.of(music), .of(art), .of(code)])
            #expect(set.restrictedBy.map(\.organizationID) == [room, school, district].map(\.text))
            #expect(set.restrictedBy.allSatisfy { $0.source == .own })
            #expect(try await life.modules(of: room) == set)
        }
    }

    @Test func `no modules is a set, and null takes it away`() async throws {
        try await bench.life { life in
            let music = try await life.module("Music")
            let none = try await life.set([], at: school)
            let all = try await life.set(nil, at: school)
            let again = try await life.set(nil, at: school)
            let some = try await life.set([.of(music)], at: school)

            #expect(none.own == ModuleGrants() && none.effective.isEmpty && !none.unrestricted)
            #expect(all.own == nil && all.unrestricted && all.restrictedBy.isEmpty)
            #expect(again == all, "nothing changes")
            #expect([none, all, some].map(\.version) == [1, 2, 3])
            #expect(some.short == ["Music"])
        }
    }

    @Test func `types say what organizations begin with, and an edit holds at once`() async throws {
        let type: OrganizationTypeID = bench.identifiers.next()

        try await bench.life { life in
            let music = try await life.module("Music", chapters: ["1", "2"])
            let art = try await life.module("Art")
            bench.tell(type, modules: [music.id])
            bench.tell(school, below: district, type: type)
            try await life.catchUp()
            let begun = try await life.modules(of: room)
            bench.tell(type, modules: [music.id, art.id])
            try await life.catchUp()
            let edited = try await life.modules(of: room)
            let own = try await life.set([.of(music, chapters: 1)], at: school)
            try await life.set(nil, at: school)
            bench.tell(type, modules: nil)
            try await life.catchUp()
            let open = try await life.modules(of: room)
            bench.tell(type, modules: [])
            try await life.catchUp()
            let none = try await life.modules(of: room)
            bench.tell(type, modules: [], removed: true)
            try await life.catchUp()
            let deleted = try await life.modules(of: room)

            #expect(begun.short == ["Music"] && begun.version == 0)
            #expect(begun.restrictedBy.map(\.organizationID) == [school.text])
            #expect(begun.restrictedBy.map(\.source) == [.type])
            #expect(edited.short == ["Art", "Music"])
            #expect(own.short == ["Music 1"] && own.restrictedBy.map(\.source) == [.own])
            #expect(open.unrestricted && open.restrictedBy.isEmpty)
            #expect(none.effective.isEmpty && !none.unrestricted)
            #expect(deleted.unrestricted, "a type that is gone restricts nothing")
        }
    }

    @Test func `a type of which nothing was told yet opens nothing`() async throws {
        let type: OrganizationTypeID = bench.identifiers.next()

        try await bench.life { life in
            let music = try await life.module("Music")
            bench.tell(school, below: district, type: type)
            try await life.catchUp()
            let unknown = try await life.modules(of: room)
            bench.tell(type, modules: [music.id])
            try await life.catchUp()
            let known = try await life.modules(of: room)

            #expect(unknown.effective.isEmpty && !unknown.unrestricted)
            #expect(unknown.restrictedBy.map(\.organizationID) == [school.text])
            #expect(unknown.restrictedBy.map(\.source) == [.type])
            #expect(known.short == ["Music"])
        }
    }

    @Test func `what was deleted is still set, and gives nothing`() async throws {
        try await bench.life { life in
            var music = try await life.module("Music", chapters: ["1", "2"])
            let art = try await life.module("Art")
            let set = try await life.set([.of(music, chapters: 0, 1), .of(art)], at: school)
            music.chapters = [music.chapters[1]]
            music = try await life.update(music, "chapters")
            try await life.delete(art)
            let less = try await life.modules(of: school)
            music.chapters = []
            _ = try await life.update(music, "chapters")
            let nothing = try await life.modules(of: school)

            #expect(set.short == ["Art", "Music 2"])
            #expect(less.short == ["Music 1"])
            #expect(nothing.short == [] && !nothing.unrestricted)
            #expect(less.own == set.own && nothing.own == set.own)
            #expect(nothing.version == 1)
        }
    }

    @Test func `modules and chapters that are not there are refused`() async throws {
        try await bench.life { life in
            let music = try await life.module("Music", chapters: ["1"])
            let art = try await life.module("Art", chapters: ["1"])
            let gone = try await life.module("Gone")
            try await life.delete(gone)
            let mixed = Messages.ModuleGrant(
                moduleID: music.id, chapterIDs: [music.chapters[0].id, art.chapters[0].id])

            let status = await life.status {
                try await life.set([.of(gone), mixed, .of(art)], at: school)
            }

            #expect(
                status?.fields
                    == ["own.modules[0].module_id", "own.modules[1].chapter_ids[1]"])
            #expect(try await life.modules(of: school).version == 0)
        }
    }

    @Test func `a set has its limits, and everything in it once`() async throws {
        try await bench.life { life in
            let music = try await life.module("Music", chapters: ["1"])
            let some = (0..<501).map { _ in
                Messages.ModuleGrant(moduleID: bench.identifiers.next(ModuleID.self).text)
            }
            let chapters = (0..<1_001).map { _ in bench.identifiers.next(ChapterID.self).text }
            let parts = stride(from: 0, to: 1_001, by: 143).map { start in
                Messages.ModuleGrant(
                    moduleID: bench.identifiers.next(ModuleID.self).text,
                    chapterIDs: Array(chapters[start..<start + 143]))
            }
            let twice = Messages.ModuleGrant(
                moduleID: music.id, chapterIDs: [music.chapters[0].id, music.chapters[0].id])
            for (grants, fields) in [
                (some, ["own.modules"]), (parts, ["own.modules"]),
                ([.of(music), .of(music)], ["own.modules[1].module_id"]),
                ([twice], ["own.modules[0].chapter_ids[1]"]),
                ([Messages.ModuleGrant(moduleID: "x")], ["own.modules[0].module_id"]),
            ] {
                let status = await life.status { try await life.set(grants, at: school) }
                #expect(status?.reason == "validation")
                #expect(status?.fields == fields)
            }
        }
    }

    @Test func `versions guard a set, and a repeated call changes nothing`() async throws {
        try await bench.life { life in
            let music = try await life.module("Music")
            let first = try await life.set([.of(music)], at: school, key: "once", ifMatch: "v0")
            await expect(refusing: "version_mismatch") {
                try await life.set([], at: school, ifMatch: "v0")
            }
            let second = try await life.set([], at: school, ifMatch: first.etag)
            let repeated = try await life.set(
                [.of(music)], at: school, key: "once", ifMatch: "v0")

            #expect(first.etag == "v1" && second.etag == "v2")
            #expect(repeated == first)
            #expect(try await life.modules(of: school) == second)
        }
    }

    @Test func `a repeated call is answered also where Organizations is asked in vain`()
        async throws
    {
        try await bench.life { life in
            let music = try await life.module("Music")
            let first = try await life.set([.of(music)], at: school, key: "once")
            bench.tell(school, below: district, archived: true)
            try await life.catchUp()
            bench.neighbours.change { $0.tellsHead = false }

            let repeated = try await life.set([.of(music)], at: school, key: "once")
            let refused = await life.status { try await life.set([.of(music)], at: school) }

            #expect(repeated == first)
            #expect(refused?.code == .unavailable)
        }
    }

    @Test func `what restricts far above is told without its identifier`() async throws {
        let member = bench.person(.member, at: school)
        let above = bench.person(.orgAdmin, at: district)

        try await bench.life { life in
            try await life.set([], at: district)
            try await life.set([], at: school)

            let below = try await life.modules(of: school, by: member)
            let all = try await life.modules(of: school, by: above)

            #expect(below.restrictedBy.map(\.organizationID) == [school.text, ""])
            #expect(below.restrictedBy.map(\.source) == [.own, .own])
            #expect(all.restrictedBy.map(\.organizationID) == [school, district].map(\.text))
        }
    }

    @Test func `who sees an organization reads, and roles that sell and run it set`() async throws {
        try await bench.life { life in
            let music = try await life.module("Music")
            for role in [Access.Role.platformAdmin, .partner, .reseller] {
                let caller = bench.person(role, at: district)
                let set = try await life.set([], at: school, by: caller)
                #expect(set.own == ModuleGrants(), "\(role)")
                try await life.set([.of(music)], at: school, by: caller)
            }
            for role in [Access.Role.owner, .orgAdmin, .manager, .member] {
                let caller = bench.person(role, at: school)
                await expect(refusing: "forbidden") {
                    try await life.set([], at: school, by: caller)
                }
                #expect(try await life.modules(of: school, by: caller).short == ["Music"])
            }
            await expect(refusing: "forbidden") {
                try await life.set([], at: school, by: .service)
            }
            #expect(try await life.modules(of: school, by: .service).short == ["Music"])
        }
    }

    @Test func `who acts for a partner sets where the partner is at home`() async throws {
        let ada = TestCaller.person(PermissionTests.ada, [])

        try await bench.life { life in
            let text = try await life.createPartner("Northwind", user: PermissionTests.ada).id
            let partner = try PartnerID(requestText: text, field: "id")
            await expect(refusing: "not_found") { try await life.modules(of: room, by: ada) }
            let now = bench.clock.now
            try await life.database.write { [school] in
                try $0.assign(school, to: partner, at: now)
            }

            #expect(try await life.set([], at: room, by: ada).own == ModuleGrants())
            await expect(refusing: "not_found") { try await life.modules(of: district, by: ada) }
        }
    }

    @Test func `unknown, out of scope and archived organizations answer the same`() async throws {
        let archived: OrganizationID = bench.identifiers.next()
        bench.tell(archived, below: district, archived: true)
        let below = bench.plant("Below", below: archived)
        let owner = bench.person(.owner, at: archived)
        let elsewhere = bench.person(.platformAdmin, at: room)

        try await bench.life { life in
            let nobody: OrganizationID = bench.identifiers.next()
            let answers = [
                await life.status { try await life.modules(of: nobody) },
                await life.status { try await life.modules(of: archived) },
                await life.status { try await life.modules(of: below) },
                await life.status { try await life.modules(of: archived, by: owner) },
                await life.status { try await life.modules(of: school, by: elsewhere) },
                await life.status { try await life.set([], at: nobody) },
                await life.status { try await life.set([], at: below) },
                await life.status { try await life.set([], at: school, by: elsewhere) },
            ]

            #expect(answers.allSatisfy { $0?.reason == "not_found" })
            #expect(Set(answers.map { $0?.message }).count == 1)
        }
    }

    @Test func `while an organization is paused the roles above it go on`() async throws {
        bench.tell(school, below: district, status: .inactive)
        let admin = bench.person(.platformAdmin, at: district)

        try await bench.life { life in
            let set = try await life.set([], at: room, by: admin)
            #expect(set.own == ModuleGrants())
        }
    }

    @Test func `each change is an event that says what is set, alone`() async throws {
        try await bench.life { life in
            let music = try await life.module("Music", chapters: ["1", "2"])
            try await life.set([.of(music)], at: district)
            try await life.set([.of(music, chapters: 1)], at: school)
            try await life.set(nil, at: school)

            let told = try await life.told(
                OrganizationModuleSet.self, named: OrganizationModuleSet.messageName)

            #expect(told.map(\.organizationID) == [district, school, school].map(\.text))
            #expect(told.map(\.version) == [1, 1, 2])
            #expect(told[1].own?.modules == [.of(music, chapters: 1)])
            #expect(told[2].own == nil)
            #expect(told.allSatisfy { $0.effective.isEmpty && $0.restrictedBy.isEmpty })
            #expect(told.allSatisfy { !$0.unrestricted })
            try await life.expectSound()
        }
    }
}

/// What several levels allow together, against the rule itself: a chapter may be used where every
/// level allows it.
@Suite struct ModuleScopeTests {
    private static let chapters: [ChapterID] = [1, 2].map { ChapterID(high: 1, low: $0) }
    /// Everything that a level can say of a module with two chapters; nil: it has no such module.
    private static let parts: [ModulePart?] = [
        nil, .whole, .chapters([chapters[0]]), .chapters([chapters[1]]), .chapters(Set(chapters)),
    ]

    @Test(arguments: parts, parts)
    func `a module is what is common to all levels`(top: ModulePart?, middle: ModulePart?) {
        let module = ModuleID(high: 2, low: 2)
        for bottom in Self.parts {
            let levels = [bottom, middle, top].map { part in
                ModuleRestriction(
                    organization: OrganizationID(high: 3, low: 3), source: .own,
                    parts: part.map { [module: $0] } ?? [:])
            }

            let result = ModuleScope(levels).parts?[module]

            let common = Self.chapters.filter { chapter in
                [bottom, middle, top].allSatisfy { $0.allows(chapter) }
            }
            #expect(Self.chapters.filter { result.allows($0) } == common)
            let isWhole = [bottom, middle, top].allSatisfy { $0 == .whole }
            #expect((result == .whole) == isWhole)
            #expect((result == nil) == common.isEmpty)
        }
    }

    @Test func `without a level nothing is restricted`() {
        #expect(ModuleScope([]).parts == nil)
    }
}

extension ModulePart? {
    fileprivate func allows(_ chapter: ChapterID) -> Bool {
        switch self {
        case nil: false
        case .whole: true
        case .chapters(let chapters): chapters.contains(chapter)
        }
    }
}
