import Access
import Testing

@testable import Membership

/// Which modules and chapters are left of what organizations on a path may use.
@Suite struct ModuleRulesTests {
    private let math = ModuleID(high: 1, low: 1)
    private let art = ModuleID(high: 1, low: 2)
    private let first = ChapterID(high: 2, low: 1)
    private let second = ChapterID(high: 2, low: 2)
    private let school = Sample.organization(1)
    private let district = Sample.organization(2)

    private func place(_ module: ModuleID, _ chapter: ChapterID? = nil) -> CoursePlace {
        CoursePlace(module: module, chapter: chapter, chaptersOfModule: [first, second])
    }

    @Test func `all modules and some are some, and some twice are what both have`() {
        let some = ModuleScope.only([math: .whole, art: .some([first])])

        #expect(ModuleScope.everything.intersected(with: .everything) == .everything)
        #expect(some.intersected(with: .everything) == some)
        #expect(ModuleScope.everything.intersected(with: some) == some)
        #expect(
            some.intersected(with: .only([math: .some([second]), art: .some([first, second])]))
                == .only([math: .some([second]), art: .some([first])]))
        #expect(some.intersected(with: .only([:])) == .only([:]))
    }

    @Test func `a course of a chapter needs it, a course of the module any that is there`() {
        let scope = ModuleScope.only([math: .some([first]), art: .whole])

        #expect(scope.admits(place(math)))
        #expect(scope.admits(place(math, first)))
        #expect(!scope.admits(place(math, second)))
        #expect(scope.admits(place(art, second)))
        #expect(!scope.admits(place(ModuleID(high: 9, low: 9))))
        // A chapter that the module has no more opens nothing.
        let gone = ChapterID(high: 2, low: 9)
        #expect(!ModuleScope.only([math: .some([gone])]).admits(place(math)))
        #expect(ModuleScope.everything.admits(place(math, gone)))
    }

    @Test func `chapters that no two organizations share leave nothing of a module`() {
        let layers = ModuleLayers([
            (school, .only([math: .some([first]), art: .whole])),
            (district, .only([math: .some([second])])),
        ])

        #expect(layers.effective == .only([math: .some([])]))
        #expect(layers.restrictions == [school, district])
        // By itself the school has a chapter of it: the district stands in the way.
        #expect(layers.obstacle(to: place(math)) == district)
        #expect(layers.obstacle(to: place(math, second)) == school)
        #expect(layers.obstacle(to: place(art)) == district)
    }

    @Test func `organizations that restrict nothing are no obstacle`() {
        let layers = ModuleLayers([(school, .everything), (district, .everything)])

        #expect(layers.effective == .everything && layers.restrictions.isEmpty)
        #expect(layers.obstacle(to: place(math)) == nil)
    }
}
