import Access
import Testing

/// The matrix of the domain model, transcribed for this test cell by cell.
private let matrix: [(Action, String)] = [
    // PO GA PA PT RS OW OA MG BA UA TE ST/ME
    (.createRootOrganization, "Y Y root Y Y - - - - - - signup"),
    (.createSuborganization, "Y Y Y Y Y Y Y - - - - -"),
    (.editOrganization, "Y Y Y Y Y Y Y title - - - -"),
    (.setTypeTrialExpiry, "Y Y Y Y - - - - - - - -"),
    (.changeActivation, "Y Y Y Y Y Y sub - - - - -"),
    (.archiveOrganization, "Y Y Y Y - Y - - - - - -"),
    (.restoreOrganization, "Y Y Y - - - - - - - - -"),
    (.moveOrganization, "Y Y both both - tree - - - - - -"),
    (.setMembersLimit, "Y Y Y Y Y sub sub - - - - -"),
    (.setRoleQuotasAndModules, "Y Y Y Y Y - - - - - - -"),
    (.setSeatCount, "Y Y Y Y Y Y Y Y - - - -"),
    (.setSeatCeiling, "Y Y - sale sale - - - - - - -"),
    (.setMemberDiscount, "Y Y Y Y - - - - - - - -"),
    (.setDistributorDiscount, "Y Y Y - - - - - - - - -"),
    (.manageEmailMasks, "Y Y Y Y - pending pending - - - - -"),
    (.switchWhiteLabel, "Y Y Y Y - - - - - - - -"),
    (.editAppearance, "Y Y Y Y Y Y Y - - - - -"),
    (.importOrganizations, "Y Y Y - - - - - - - - -"),
    (.openSettings, "Y Y Y Y Y Y Y - billing users - -"),
    (.manageMembers, "Y Y Y Y Y Y Y Y - Y - -"),
    (.grantOrgAdmin, "Y Y Y Y Y Y Y - - - - -"),
    (.promoteToManager, "Y Y Y Y Y Y Y Y - Y - -"),
    (.grantOwner, "Y Y Y Y - Y - - - - - -"),
    (.manageAPIKeys, "Y Y Y - - Y Y - - - - -"),
    (.manageGroups, "Y Y Y Y Y Y Y Y - - classview -"),
    (.approveSignups, "Y Y Y Y Y Y Y - - Y - -"),
    (.readReports, "Y Y Y Y Y Y Y Y - - classes progress"),
    (.manageSubscription, "Y Y Y Y view Y view - Y - - -"),
    (.registerSale, "Y Y - Y Y - - - - - - -"),
    (.createReseller, "Y - - Y - - - - - - - -"),
    (.createPartner, "Y - - - - - - - - - - -"),
    (.createUsers, "Y Y Y Y Y Y Y - - Y - -"),
    (.readAuditLog, "Y Y Y Y Y Y Y - - - - -"),
    (.changePlatformSettings, "Y Y - - - - - - - - - -"),
    (.viewOrganization, "Y Y Y Y Y Y Y Y Y Y Y Y"),
]

private let columns: [[Role]] = [
    [.platformOwner], [.globalAdmin], [.platformAdmin], [.partner], [.reseller], [.owner],
    [.orgAdmin], [.manager], [.billingAdmin], [.userAdmin], [.teacher], [.student, .member],
]

private let words: [String: Right] = [
    "Y": .yes, "-": .no, "sub": .below, "root": .under(.atRoot), "signup": .under(.signUpOnce),
    "title": .under(.titleOnly), "both": .under(.bothEnds), "tree": .under(.withinOwnTree),
    "sale": .under(.bySale), "pending": .under(.joinPending), "billing": .under(.billingTab),
    "users": .under(.usersTab), "classview": .under(.ownClassesView),
    "classes": .under(.ownClasses), "progress": .under(.ownProgress), "view": .under(.view),
]

@Suite struct PermissionTableTests {
    @Test func `the matrix has every action once`() {
        #expect(matrix.map(\.0).count == Action.allCases.count)
        #expect(Set(matrix.map(\.0)) == Set(Action.allCases))
    }

    @Test(arguments: matrix.map(\.0))
    func `every cell of the table is the one of the matrix`(action: Action) throws {
        let line = try #require(matrix.first { $0.0 == action }?.1)
        let cells = line.split(separator: " ").map(String.init)

        #expect(cells.count == columns.count)
        for (cell, roles) in zip(cells, columns) {
            let expected = try #require(words[cell])
            for role in roles {
                #expect(PermissionTable.right(of: role, to: action) == expected, "\(role)")
            }
        }
    }

    /// What each cell means at the place of the grant, below it and above it.
    @Test(arguments: matrix.map(\.0))
    func `decisions follow the matrix and the reach of the role`(action: Action) throws {
        let tree = Tree()
        for role in Role.allCases {
            let person = tree.person(role, at: tree.school)
            let reachesBelow = role.reach != .node
            let isPlatform = role.reach == .platform
            let expectations: [([OrganizationID], isInScope: Bool, isBelow: Bool)] = [
                (tree.path(tree.district), isPlatform, false),
                (tree.path(tree.school), true, false),
                (tree.path(tree.classroom), reachesBelow, true),
                (tree.path(tree.stranger), isPlatform, false),
            ]
            for (path, isInScope, isBelow) in expectations {
                let expected: Decision =
                    switch PermissionTable.right(of: role, to: action) {
                    case _ where !isInScope: .notFound
                    case .yes: .allowed
                    case .below where isBelow: .allowed
                    case .own where !isBelow: .allowed
                    default: .forbidden
                    }
                #expect(person.decide(action, at: path) == expected, "\(role) at \(path.count)")
            }
        }
    }
}
