import Access
import Messages
import RPC
import ServiceKit
import Storage
import Testing

@testable import Partners

/// Modules with their chapters, and courses.
@Suite(.serialized) struct CatalogTests {
    private static let chapters = ["Notes", "Rhythm", "Harmony"]

    @Test func `what is made is read by anybody who is signed in, and by services`() async throws {
        let bench = try Bench()
        let program = TestCaller.program(APIKeyID(high: 3, low: 3), [])

        try await bench.life { life in
            let module = try await life.module("  Music   theory ", chapters: Self.chapters)
            let course = try await life.course("Scales", in: module, chapter: 1)

            #expect(module.name == "Music theory")
            #expect(module.chapters.map(\.title) == Self.chapters)
            #expect(Set(module.chapters.map(\.id)).count == 3)
            #expect(module.version == 1 && module.etag == "v1" && module.createdAt != nil)
            #expect(course.moduleID == module.id && course.chapterID == module.chapters[1].id)
            for caller in [TestCaller.stranger, .service, program] {
                let options = try life.options(caller)
                #expect(
                    try await life.catalog.getModule(
                        GetModuleRequest(id: module.id), options: options) == module)
                #expect(
                    try await life.catalog.getCourse(
                        GetCourseRequest(id: course.id), options: options) == course)
                let modules = try await life.catalog.listModules(
                    ListModulesRequest(), options: options)
                #expect(modules.modules == [module] && modules.totalSize == 1)
                let courses = try await life.catalog.listCourses(
                    ListCoursesRequest(), options: options)
                #expect(courses.courses == [course] && courses.totalSize == 1)
            }
        }
    }

    @Test func `those who run the platform change it, people and programs, and nobody else`()
        async throws
    {
        let bench = try Bench()
        let school = bench.plant("School")
        let key = APIKeyID(high: 3, low: 3)
        let program = TestCaller.program(key, [Access.Grant(.globalAdmin)])

        try await bench.life { life in
            let module = try await life.module("One", by: .admin)
            let course = try await life.course("First", in: module, by: program)
            for caller in [
                TestCaller.stranger, .service, bench.person(.owner, at: school),
                bench.person(.platformAdmin, at: school), bench.person(.partner, at: school),
                .program(key, [Access.Grant(.owner, at: school)]),
            ] {
                await expect(refusing: "forbidden") { try await life.module("Two", by: caller) }
                await expect(refusing: "forbidden") { try await life.update(module, by: caller) }
                await expect(refusing: "forbidden") { try await life.delete(module, by: caller) }
                await expect(refusing: "forbidden") {
                    try await life.course("Second", in: module, by: caller)
                }
                await expect(refusing: "forbidden") { try await life.update(course, by: caller) }
                await expect(refusing: "forbidden") { try await life.delete(course, by: caller) }
            }
            try await life.delete(course, by: program)
            try await life.delete(module, by: .admin)
        }
    }

    @Test func `a name is given once, however it is typed`() async throws {
        let bench = try Bench()

        try await bench.life { life in
            var music = try await life.module("Music")
            let art = try await life.module("Art")
            var scales = try await life.course("Scales", in: music)
            let colors = try await life.course("Colors", in: art)
            music.name = "ＡＲＴ"
            scales.name = " COLORS"

            await expect(refusing: "name_taken") { try await life.module(" mUSIC ") }
            await expect(refusing: "name_taken") { try await life.course("scales", in: art) }
            await expect(refusing: "name_taken") { try await life.update(music, "name") }
            await expect(refusing: "name_taken") { try await life.update(scales, "name") }
            music.name = "MUSIC"
            #expect(try await life.update(music, "name").name == "MUSIC")
            // What is deleted leaves its name.
            try await life.delete(colors)
            #expect(try await life.update(scales, "name").name == "COLORS")
        }
    }

    @Test func `chapters stay by their identifiers, whatever becomes of titles and order`()
        async throws
    {
        let bench = try Bench()

        try await bench.life { life in
            let module = try await life.module("Music", chapters: Self.chapters)
            var changed = module
            changed.chapters = [
                Messages.Chapter(id: module.chapters[1].id, title: "Notes"),
                Messages.Chapter(title: "Form"),
                Messages.Chapter(id: module.chapters[0].id, title: "Rhythm"),
            ]

            let updated = try await life.update(changed, "chapters")

            #expect(updated.chapters.map(\.title) == ["Notes", "Form", "Rhythm"])
            #expect(updated.chapters[0].id == module.chapters[1].id)
            #expect(updated.chapters[2].id == module.chapters[0].id)
            #expect(!module.chapters.map(\.id).contains(updated.chapters[1].id))
            #expect(updated.version == 2 && updated.name == "Music")
            #expect(try await life.now(module) == updated)
            // The one that went is no chapter any more.
            changed.chapters = [module.chapters[2]]
            changed.etag = ""
            let refused = await life.status { try await life.update(changed, "chapters") }
            #expect(refused?.fields == ["module.chapters[0].id"])
            try await life.expectSound()
        }
    }

    @Test func `what courses lie in is not deleted under them`() async throws {
        let bench = try Bench()

        try await bench.life { life in
            let module = try await life.module("Music", chapters: Self.chapters)
            let course = try await life.course("Scales", in: module, chapter: 1)
            var without = module
            without.chapters = [module.chapters[0]]

            await expect(refusing: "module_in_use") { try await life.delete(module) }
            await expect(refusing: "chapter_in_use") {
                try await life.update(without, "chapters")
            }
            var moved = course
            moved.chapterID = ""
            moved = try await life.update(moved, "chapter_id")
            #expect(moved.chapterID == "" && moved.version == 2)
            #expect(try await life.update(without, "chapters").chapters.count == 1)
            await expect(refusing: "module_in_use") { try await life.delete(module) }
            try await life.delete(course)
            try await life.delete(module)
            await expect(refusing: "not_found") { try await life.now(module) }
            await expect(refusing: "not_found") { try await life.delete(module) }
            await expect(refusing: "not_found") { try await life.update(module, "name") }
            await expect(refusing: "not_found") { try await life.delete(course) }
            await expect(refusing: "not_found") { try await life.update(course, "name") }
        }
    }

    @Test func `a course lies in a module and chapter that are there`() async throws {
        let bench = try Bench()

        try await bench.life { life in
            let music = try await life.module("Music", chapters: Self.chapters)
            let art = try await life.module("Art", chapters: ["Lines"])
            let nobody = bench.identifiers.next(ModuleID.self).text
            let course = try await life.course("Scales", in: music, chapter: 0)

            var mixed = music
            mixed.chapters = art.chapters
            let wrongChapter = await life.status {
                try await life.course("Other", in: mixed, chapter: 0)
            }
            mixed.id = nobody
            let wrongModule = await life.status { try await life.course("Other", in: mixed) }
            var moved = course
            moved.moduleID = art.id
            let alone = await life.status { try await life.update(moved, "module_id") }
            moved.moduleID = nobody
            let nowhere = await life.status { try await life.update(moved, "module_id") }
            moved.moduleID = art.id
            moved.chapterID = art.chapters[0].id
            let both = try await life.update(moved, "module_id", "chapter_id")

            #expect(wrongChapter?.fields == ["chapter_id"])
            #expect(wrongModule?.fields == ["module_id"])
            #expect(alone?.fields == ["course.chapter_id"])
            #expect(nowhere?.fields == ["course.module_id"])
            #expect(both.moduleID == art.id && both.chapterID == art.chapters[0].id)
            try await life.expectSound()
        }
    }

    @Test func `lists are by name, by module, and page by page`() async throws {
        let bench = try Bench()

        try await bench.life { life in
            let music = try await life.module("music")
            let art = try await life.module("Art")
            for (name, module) in [("c", music), ("B", art), ("a", music), ("D", music)] {
                _ = try await life.course(name, in: module)
            }

            let modules = try await life.catalog.listModules(
                ListModulesRequest(), options: life.options())
            let all = try await life.courses(pageSize: 3)
            let rest = try await life.courses(pageSize: 3, token: all.nextPageToken)
            let ofMusic = try await life.courses(of: music, pageSize: 2)
            let restOfMusic = try await life.courses(
                of: music, pageSize: 2, token: ofMusic.nextPageToken)

            #expect(modules.modules.map(\.name) == ["Art", "music"])
            #expect(all.courses.map(\.name) == ["a", "B", "c"] && all.totalSize == 4)
            #expect(rest.courses.map(\.name) == ["D"] && rest.nextPageToken.isEmpty)
            #expect(ofMusic.courses.map(\.name) == ["a", "c"] && ofMusic.totalSize == 3)
            #expect(restOfMusic.courses.map(\.name) == ["D"])
            // A page of one list is no page of another.
            await expect(refusing: "page_token_invalid") {
                try await life.courses(of: art, pageSize: 2, token: ofMusic.nextPageToken)
            }
        }
    }

    @Test func `a page of modules ends before its chapters are too much for a message`()
        async throws
    {
        // A module takes 129 bytes here, a chapter 57.
        let bench = try Bench(limits: CatalogLimits(pageBytesMax: 500))

        try await bench.life { life in
            for (name, count) in [("a", 2), ("b", 2), ("c", 1), ("d", 5), ("e", 0)] {
                _ = try await life.module(name, chapters: (0..<count).map { "Chapter \($0)" })
            }
            var pages: [[String]] = []
            var token = ""
            repeat {
                let page = try await life.catalog.listModules(
                    ListModulesRequest(pageSize: 10, pageToken: token), options: life.options())
                pages.append(page.modules.map(\.name))
                token = page.nextPageToken
                #expect(page.totalSize == 5)
            } while !token.isEmpty && pages.count < 10

            #expect(pages == [["a", "b"], ["c"], ["d"], ["e"]])
        }
    }

    @Test func `a page of modules with long titles in any script fits into a message`()
        async throws
    {
        let bench = try Bench()

        try await bench.life { life in
            let long = String(repeating: "\u{5B57}", count: 116)
            for number in 10..<30 {
                let titles = (0..<120).map { "\(long)\(1_000 + $0)" }
                _ = try await life.module("\(number)", chapters: titles)
            }
            var names: [String] = []
            var sizes: [Int] = []
            var token = ""
            repeat {
                let page = try await life.catalog.listModules(
                    ListModulesRequest(pageSize: 100, pageToken: token), options: life.options())
                names += page.modules.map(\.name)
                sizes.append(page.encoded().count)
                token = page.nextPageToken
            } while !token.isEmpty && sizes.count < 10

            #expect(names == (10..<30).map { "\($0)" })
            #expect(sizes.count == 2 && sizes.allSatisfy { $0 <= 900 * 1_024 })
        }
    }

    @Test func `there is room for so many modules, courses and chapters`() async throws {
        let bench = try Bench(limits: CatalogLimits(modulesMax: 2, coursesMax: 1))

        try await bench.life { life in
            let one = try await life.module("One", chapters: (1...200).map { "Chapter \($0)" })
            let two = try await life.module("Two")
            _ = try await life.course("First", in: one)

            #expect(one.chapters.count == 200)
            let module = await life.status { try await life.module("Three") }
            let course = await life.status { try await life.course("Second", in: two) }
            #expect(module?.message == "There can be at most 2 modules.")
            #expect(course?.message == "There can be at most 1 courses.")
            let chapters = await life.status {
                try await life.module("Four", chapters: (1...201).map { "Chapter \($0)" })
            }
            #expect(chapters?.fields == ["chapters"])
            try await life.delete(two)
            #expect(try await life.module("Three").name == "Three")
        }
    }

    @Test func `masks name what changes, and versions guard it`() async throws {
        let bench = try Bench()

        try await bench.life { life in
            var module = try await life.module("Music", chapters: ["Notes"])
            module.name = "Sound"
            module.chapters = []
            let renamed = try await life.update(module, "name")
            #expect(renamed.name == "Sound" && renamed.chapters.count == 1)
            #expect(renamed.version == 2)
            // The tag of what was read before.
            await expect(refusing: "version_mismatch") { try await life.update(module, "name") }
            #expect(try await life.update(renamed, "name", "chapters") == renamed)
            #expect(try await life.update(renamed) == renamed, "without a mask what is there")
            for wrong in ["id", "etag", "title", "chapters.title", ""] {
                let status = await life.status { try await life.update(renamed, wrong) }
                #expect(status?.fields == ["update_mask"], "\(wrong)")
            }
            var options = try life.options()
            options.metadata[text: MetadataKey.maskIsImplied] = "true"
            let sentBack = try await life.catalog.updateModule(
                UpdateModuleRequest(
                    module: renamed, updateMask: FieldMask(paths: ["id", "name", "etag"])),
                options: options)
            #expect(sentBack == renamed)
            let emptied = try await life.update(
                Messages.Module(id: module.id), "chapters")
            #expect(emptied.chapters.isEmpty && emptied.version == 3)
        }
    }

    @Test func `each change is an event, a deletion the last`() async throws {
        let bench = try Bench()

        try await bench.life { life in
            var module = try await life.module("Music", chapters: ["Notes"])
            var course = try await life.course("Scales", in: module)
            let other = try await life.module("Art")
            module.name = "Sound"
            module = try await life.update(module, "name")
            course.name = "Keys"
            course = try await life.update(course, "name")
            try await life.delete(course)
            try await life.delete(module)

            let modules = try await life.told(
                Messages.Module.self, named: Messages.Module.messageName)
            let courses = try await life.told(
                Messages.Course.self, named: Messages.Course.messageName)
            #expect(modules.map(\.name) == ["Music", "Art", "Sound", "Sound"])
            #expect(modules.map(\.version) == [1, 1, 2, 3])
            #expect(modules.map(\.removed) == [false, false, false, true])
            #expect(modules[1] == other && modules[2] == module)
            #expect(courses.map(\.name) == ["Scales", "Keys", "Keys"])
            #expect(courses.map(\.removed) == [false, false, true])
            try await life.expectSound()
        }
    }

    @Test func `a repeated call makes nothing twice`() async throws {
        let bench = try Bench()

        try await bench.life { life in
            let request = CreateModuleRequest(
                name: "Music", chapters: [Messages.Chapter(title: "Notes")])
            let first = try await life.catalog.createModule(
                request, options: life.options(key: "once"))
            let again = try await life.catalog.createModule(
                request, options: life.options(key: "once"))

            #expect(first == again)
            let list = try await life.catalog.listModules(
                ListModulesRequest(), options: life.options())
            #expect(list.totalSize == 1)
        }
    }
}

extension Life {
    fileprivate func courses(
        of module: Messages.Module? = nil, pageSize: Int32, token: String = ""
    ) async throws -> ListCoursesReply {
        try await catalog.listCourses(
            ListCoursesRequest(
                moduleID: module?.id ?? "", pageSize: pageSize, pageToken: token),
            options: options())
    }
}

extension Status {
    /// The fields that a refusal names.
    var fields: [String] {
        details.flatMap { detail -> [String] in
            guard case .badRequest(let violations) = detail else { return [] }
            return violations.map(\.field)
        }
    }
}
