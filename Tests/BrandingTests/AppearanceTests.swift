import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Branding

/// Who sets what, and when it counts.
struct AppearanceTests {
    private func update(
        _ id: OrganizationID, _ primary: String
    ) -> UpdateAppearanceRequest {
        UpdateAppearanceRequest(organizationID: id.text, colors: Colors(primary: primary))
    }

    @Test(arguments: [
        (OrganizationOrigin.manual, true), (.import, true), (.api, true), (.auto, true),
        (.sale, false), (.partner, false), (.signup, false), (.unspecified, false),
    ])
    func `white label begins as the origin says`(
        origin: OrganizationOrigin, isOn: Bool
    ) async throws {
        let installation = try Installation()
        let id = try await installation.organization(origin)

        let own = try await installation.platformOwner().getAppearance(
            GetAppearanceRequest(organizationID: id.text))

        #expect(
            own
                == Appearance(
                    organizationID: id.text, whiteLabel: isOn, colors: Colors(), version: 0,
                    etag: "v0"))
    }

    @Test func `a program does what its role may`() async throws {
        let installation = try Installation()
        let id = try await installation.organization()
        let administrator = try installation.program(Access.Grant(.orgAdmin, at: id))
        let member = try installation.program(Access.Grant(.member, at: id))
        let stranger = try installation.program()

        #expect(
            try await administrator.updateAppearance(update(id, "#aabbcc")).colors?.primary
                == "#aabbcc")
        let question = GetAppearanceRequest(organizationID: id.text)
        for (program, reason) in [(member, "forbidden"), (stranger, "not_found")] {
            let read = await #expect(throws: Status.self) {
                try await program.getAppearance(question)
            }
            let written = await #expect(throws: Status.self) {
                try await program.updateAppearance(update(id, "#000000"))
            }
            #expect(read?.reason == reason && written?.reason == reason)
        }
    }

    @Test func `given colors are set, others stay`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let id = try await installation.organization()
        _ = try await owner.updateAppearance(
            UpdateAppearanceRequest(
                organizationID: id.text,
                colors: Colors(
                    primary: "#AABBCC", secondary: "#112233", advanced: ["link": "#445566"])))

        let own = try await owner.updateAppearance(
            UpdateAppearanceRequest(
                organizationID: id.text,
                colors: Colors(primary: "#000000", advanced: ["nav-2": "#777777"])))

        #expect(
            own.colors
                == Colors(
                    primary: "#000000", secondary: "#112233",
                    advanced: ["link": "#445566", "nav-2": "#777777"]))
        #expect(own.version == 2)
        #expect(own.etag == "v2")
        #expect(own.updatedAt == Timestamp(installation.clock.now))
    }

    @Test func `upper case is kept as lower case`() async throws {
        let installation = try Installation()
        let id = try await installation.organization()

        let own = try await installation.platformOwner().updateAppearance(update(id, "#ABCDEF"))

        #expect(own.colors?.primary == "#abcdef")
    }

    @Test(arguments: [
        "", "#", "red", "aabbcc", "#abc", "#aabbcg", "#aabbccd", " #aabbcc", "#aabbcc\n",
        "#ａabbc", "rgb(1,2,3)",
    ])
    func `a color that is none is refused with its field`(text: String) async throws {
        let installation = try Installation()
        let id = try await installation.organization()
        let request = UpdateAppearanceRequest(
            organizationID: id.text,
            colors: Colors(primary: text, secondary: text, advanced: ["link": text]))

        let refused = try await refusal {
            try await installation.platformOwner().updateAppearance(request)
        }

        #expect(refused.reason == "validation")
        #expect(
            refused.invalidFields
                == ["colors.primary", "colors.secondary", "colors.advanced.link"])
    }

    @Test(arguments: ["", "Link", "a b", "a.b", "ä", String(repeating: "a", count: 41)])
    func `a color's name that is none is refused`(name: String) async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let id = try await installation.organization()

        let update = try await refusal {
            try await owner.updateAppearance(
                UpdateAppearanceRequest(
                    organizationID: id.text, colors: Colors(advanced: [name: "#000000"])))
        }
        let reset = try await refusal {
            try await owner.resetAppearance(
                ResetAppearanceRequest(organizationID: id.text, field: "advanced.\(name)"))
        }

        #expect(update.invalidFields == ["colors.advanced"])
        #expect(reset.invalidFields == ["field"])
    }

    @Test func `the number of advanced colors is bounded`() async throws {
        let installation = try Installation()
        let id = try await installation.organization()
        let many = Dictionary(
            uniqueKeysWithValues: (0...Color.furtherMax).map {
                ("c\($0)", "#000000")
            })

        let refused = try await refusal {
            try await installation.platformOwner().updateAppearance(
                UpdateAppearanceRequest(
                    organizationID: id.text, colors: Colors(advanced: many)))
        }

        #expect(refused.reason == "validation")
    }

    @Test func `while white label is off nothing is set, and what was set is kept`()
        async throws
    {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let chain = try await installation.chain(2)
        _ = try await owner.updateAppearance(update(chain[0], "#aaaaaa"))
        let switched = try await owner.setWhiteLabel(
            SetWhiteLabelRequest(organizationID: chain[0].text, enabled: false))

        let refused = try await refusal {
            try await owner.updateAppearance(update(chain[0], "#bbbbbb"))
        }
        let reset = try await refusal {
            try await owner.resetAppearance(
                ResetAppearanceRequest(organizationID: chain[0].text, field: "primary"))
        }

        #expect(!switched.whiteLabel)
        #expect(switched.colors?.primary == "#aaaaaa")
        #expect(refused.code == .failedPrecondition)
        #expect(refused.reason == "white_label_disabled")
        #expect(reset.reason == "white_label_disabled")
        let effective = try await owner.getEffectiveAppearance(
            GetEffectiveAppearanceRequest(organizationID: chain[1].text))
        #expect(effective.primary?.value == "#000001")
        let again = try await owner.setWhiteLabel(
            SetWhiteLabelRequest(organizationID: chain[0].text, enabled: true))
        #expect(again.colors?.primary == "#aaaaaa")
    }

    @Test func `a logo switches white label on for whoever may switch it`() async throws {
        let installation = try Installation()
        let id = try await installation.organization(.sale)
        let request = SetLogoRequest(
            organizationID: id.text, image: Images.png(width: 1, height: 1))
        let owner = try installation.user(Access.Grant(.owner, at: id))

        let refused = try await refusal { try await owner.setLogo(request) }
        let own = try await installation.platformOwner().setLogo(request)

        #expect(refused.reason == "white_label_disabled")
        #expect(own.whiteLabel)
        #expect(own.logoHash != nil)
    }

    @Test func `roles set what the table gives them`() async throws {
        let installation = try Installation()
        let id = try await installation.organization()
        let owner = try installation.user(Access.Grant(.owner, at: id))
        let manager = try installation.user(Access.Grant(.manager, at: id))

        let own = try await owner.updateAppearance(update(id, "#aaaaaa"))
        let switched = try await refusal {
            try await owner.setWhiteLabel(
                SetWhiteLabelRequest(organizationID: id.text, enabled: false))
        }
        let updated = try await refusal {
            try await manager.updateAppearance(update(id, "#bbbbbb"))
        }
        let seen = try await manager.getEffectiveAppearance(
            GetEffectiveAppearanceRequest(organizationID: id.text))

        #expect(own.colors?.primary == "#aaaaaa")
        #expect(switched.reason == "forbidden")
        #expect(updated.reason == "forbidden")
        #expect(seen.primary?.value == "#aaaaaa")
    }

    @Test func `outside of the scope an organization is as unknown as one that is not`()
        async throws
    {
        let installation = try Installation()
        let (mine, other) = (
            try await installation.organization(), try await installation.organization()
        )
        let hidden = try await installation.organization(status: .provisioning)
        let archived = try await installation.organization(isArchived: true)
        let nobody: OrganizationID = installation.identifiers.next()
        let owner = try installation.user(Access.Grant(.owner, at: mine))
        let platform = try installation.platformOwner()

        var answers: Set<Status> = []
        for (client, id) in [
            (owner, other), (owner, nobody), (platform, hidden), (platform, archived),
        ] {
            answers.insert(
                try await refusal {
                    try await client.getAppearance(
                        GetAppearanceRequest(organizationID: id.text))
                })
            answers.insert(
                try await refusal {
                    try await client.getEffectiveAppearance(
                        GetEffectiveAppearanceRequest(organizationID: id.text))
                })
            answers.insert(
                try await refusal { try await client.updateAppearance(update(id, "#aaaaaa")) })
        }

        #expect(answers.count == 1)
        #expect(answers.first?.reason == "not_found")
    }

    @Test func `the people of a paused organization read and change nothing, and learn why`()
        async throws
    {
        let installation = try Installation()
        let root = try await installation.organization()
        let paused = try await installation.organization(below: root, status: .inactive)
        let owner = try installation.user(Access.Grant(.owner, at: paused))
        let above = try installation.user(Access.Grant(.owner, at: root))

        let refused = try await refusal {
            try await owner.updateAppearance(update(paused, "#aaaaaa"))
        }
        let unread = try await refusal {
            try await owner.getAppearance(GetAppearanceRequest(organizationID: paused.text))
        }
        let unseen = try await refusal {
            try await owner.getEffectiveAppearance(
                GetEffectiveAppearanceRequest(organizationID: paused.text))
        }
        let own = try await above.updateAppearance(update(paused, "#bbbbbb"))

        #expect(refused.reason == "org_not_active")
        #expect(unread.reason == "org_not_active")
        #expect(unseen.reason == "org_not_active")
        #expect(own.colors?.primary == "#bbbbbb")
    }

    @Test func `an organization made just now is waited for`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let new = try await installation.organization(isKnown: false)

        let own = try await owner.updateAppearance(update(new, "#aaaaaa"))

        #expect(own.colors?.primary == "#aaaaaa")
    }

    @Test func `an organization opened just now is waited for`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let sold = try await installation.organization(.sale, status: .provisioning)
        let request = SetWhiteLabelRequest(organizationID: sold.text, enabled: true)
        let hidden = try await refusal {
            try await owner.setWhiteLabel(request, options: .key("k"))
        }
        installation.upstream.tell(
            OrganizationNode(
                id: sold.text, title: "Sold", status: .active, origin: .sale, version: 2))

        let own = try await owner.setWhiteLabel(request, options: .key("k"))

        #expect(hidden.code == .notFound)
        #expect(own.whiteLabel)
    }

    @Test func `an organization out of sight is not kept as one that is not there`()
        async throws
    {
        let installation = try Installation()
        let school = try await installation.organization()
        let id: UserID = installation.identifiers.next()
        let request = SetWhiteLabelRequest(organizationID: school.text, enabled: true)
        let hidden = try await refusal {
            try await installation.user(as: id).setWhiteLabel(request, options: .key("k"))
        }

        let own = try await installation.user(Access.Grant(.platformOwner), as: id)
            .setWhiteLabel(request, options: .key("k"))

        #expect(hidden.code == .notFound)
        #expect(own.whiteLabel)
    }

    @Test func `without Organizations what is known goes on, and the rest may be retried`()
        async throws
    {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let known = try await installation.organization()
        let unknown = try await installation.organization(isKnown: false)
        installation.upstream.setReachable(false)

        let own = try await owner.updateAppearance(update(known, "#aaaaaa"))
        let refused = try await refusal {
            try await owner.updateAppearance(update(unknown, "#aaaaaa"), options: .key("k"))
        }
        installation.upstream.setReachable(true)
        let later = try await owner.updateAppearance(
            update(unknown, "#aaaaaa"), options: .key("k"))

        #expect(own.version == 1)
        #expect(refused.code == .unavailable)
        #expect(later.version == 1)
    }

    @Test func `one key is one change`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let id = try await installation.organization()

        let first = try await owner.updateAppearance(update(id, "#aaaaaa"), options: .key("k"))
        let second = try await owner.updateAppearance(update(id, "#aaaaaa"), options: .key("k"))
        let other = try await refusal {
            try await owner.updateAppearance(update(id, "#bbbbbb"), options: .key("k"))
        }

        #expect(second == first)
        #expect(other.reason == "idempotency_mismatch")
        #expect(try await installation.events() == [first])
    }

    @Test func `a change of a version that is no longer current is refused`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let id = try await installation.organization()
        _ = try await owner.updateAppearance(update(id, "#aaaaaa"))
        var options = CallOptions()
        options.metadata[text: MetadataKey.ifMatch] = "v0"

        let refused = try await refusal {
            try await owner.updateAppearance(update(id, "#bbbbbb"), options: options)
        }

        #expect(refused.reason == "version_mismatch")
    }

    @Test func `a malformed identifier is refused with its field`() async throws {
        let owner = try Installation().platformOwner()

        let refused = try await refusal {
            try await owner.getAppearance(GetAppearanceRequest(organizationID: "x"))
        }

        #expect(refused.invalidFields == ["organization_id"])
    }
}
