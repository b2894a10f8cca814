import Access
import Messages
import RPC
import RPCTesting
import ServiceKit
import Storage
import Testing

@testable import Membership

/// Seat types and license types: who changes them, who reads them, what they may name.
@Suite struct SeatTypeTests {
    private let hall: Hall

    init() throws { hall = try Hall() }

    private func standard() async throws -> SeatType {
        let all = try await hall.seatTypes.listSeatTypes(ListSeatTypesRequest())
        let type = all.seatTypes.first { $0.isDefault }
        return try #require(type)
    }

    private func license(_ name: String, _ courses: [CourseID] = []) async throws -> LicenseType {
        try await hall.licenseTypes.createLicenseType(
            CreateLicenseTypeRequest(name: name, courseIDs: courses.map(\.text)))
    }

    @Test func `a seat type is answered as it was made`() async throws {
        let (one, other): (CourseID, CourseID) = (
            hall.identifiers.next(), hall.identifiers.next()
        )
        let license = try await license("Basics", [one])

        let made = try await hall.seatTypes.createSeatType(
            CreateSeatTypeRequest(
                name: "  Gold   seat ", licenseTypeIDs: [license.id, license.id],
                courseIDs: [other.text, one.text, other.text]))
        let read = try await hall.seatTypes.getSeatType(GetSeatTypeRequest(id: made.id))

        #expect(read == made)
        #expect(made.name == "Gold seat" && !made.isDefault)
        #expect(made.licenseTypeIDs == [license.id])
        #expect(made.courseIDs == [one, other].sorted().map(\.text))
        #expect(made.version == 1 && made.etag == "v1")
        #expect(license.courseIDs == [one.text])
    }

    @Test func `the platform has one seat type from the beginning, which stays`() async throws {
        let standard = try await standard()
        #expect(standard.name == "Standard" && standard.version == 1)

        let refused = await refusal {
            try await hall.seatTypes.deleteSeatType(DeleteSeatTypeRequest(id: standard.id))
        }
        #expect(refused?.reason == "seat_type_in_use")

        let course: CourseID = hall.identifiers.next()
        let renamed = try await hall.seatTypes.updateSeatType(
            UpdateSeatTypeRequest(
                seatType: SeatType(id: standard.id, name: "Basic", courseIDs: [course.text])))
        #expect(renamed.name == "Basic" && renamed.courseIDs == [course.text])
        #expect(renamed.isDefault && renamed.version == 2)
        let verified = try await hall.differences()
        #expect(verified.isEmpty)
    }

    @Test func `names are unique however they are written`() async throws {
        _ = try await hall.seatTypes.createSeatType(CreateSeatTypeRequest(name: "Straße"))
        let other = try await hall.seatTypes.createSeatType(CreateSeatTypeRequest(name: "Other"))

        for name in [" STRASSE", "stra\u{200D}sse", "standard"] {
            let made = await refusal {
                try await hall.seatTypes.createSeatType(CreateSeatTypeRequest(name: name))
            }
            #expect(made?.reason == "name_taken", "\(name)")
        }
        let renamed = await refusal {
            try await hall.seatTypes.updateSeatType(
                UpdateSeatTypeRequest(seatType: SeatType(id: other.id, name: "strasse")))
        }
        #expect(renamed?.reason == "name_taken")
        // License types have names of their own.
        _ = try await license("Straße")
        let second = await refusal { try await license("STRASSE") }
        #expect(second?.reason == "name_taken")
    }

    @Test func `every wrong field is named`() async throws {
        let made = await refusal {
            try await hall.seatTypes.createSeatType(
                CreateSeatTypeRequest(name: "\u{200D}", licenseTypeIDs: ["x"], courseIDs: ["y"]))
        }
        #expect(made?.invalidFields == ["name", "license_type_ids", "course_ids"])

        let long = await refusal {
            try await license(
                String(repeating: "n", count: 121),
                (0..<501).map { _ in hall.identifiers.next() })
        }
        #expect(long?.invalidFields == ["name", "course_ids"])

        let id: LicenseTypeID = hall.identifiers.next()
        let unknown = await refusal {
            try await hall.seatTypes.createSeatType(
                CreateSeatTypeRequest(name: "Gold", licenseTypeIDs: [id.text]))
        }
        #expect(unknown?.invalidFields == ["license_type_ids"])
        let standard = try await standard()
        let updated = await refusal {
            try await hall.seatTypes.updateSeatType(
                UpdateSeatTypeRequest(
                    seatType: SeatType(id: standard.id, licenseTypeIDs: [id.text])))
        }
        #expect(updated?.invalidFields == ["seat_type.license_type_ids"])
    }

    @Test func `a mask changes what it names, and no more`() async throws {
        let course: CourseID = hall.identifiers.next()
        let license = try await license("Basics", [course])
        let made = try await hall.seatTypes.createSeatType(
            CreateSeatTypeRequest(
                name: "Gold", licenseTypeIDs: [license.id], courseIDs: [course.text]))

        let emptied = try await hall.seatTypes.updateSeatType(
            UpdateSeatTypeRequest(
                seatType: SeatType(id: made.id, name: "ignored"),
                updateMask: FieldMask(paths: ["course_ids"])))
        #expect(emptied.name == "Gold" && emptied.courseIDs == [])
        #expect(emptied.licenseTypeIDs == [license.id] && emptied.version == 2)

        let unchanged = try await hall.seatTypes.updateSeatType(
            UpdateSeatTypeRequest(seatType: SeatType(id: made.id, name: "Gold")))
        #expect(unchanged.version == 2)

        for path in ["is_default", "courses"] {
            let refused = await refusal {
                try await hall.seatTypes.updateSeatType(
                    UpdateSeatTypeRequest(
                        seatType: SeatType(id: made.id), updateMask: FieldMask(paths: [path])))
            }
            #expect(refused?.invalidFields == ["update_mask"], "\(path)")
        }
        // Of many that are wrong the first are told.
        let many = await refusal {
            try await hall.seatTypes.updateSeatType(
                UpdateSeatTypeRequest(
                    seatType: SeatType(id: made.id),
                    updateMask: FieldMask(paths: (0..<2_000).map { "nothing\($0)" })))
        }
        #expect(many?.invalidFields.count == 50)
        // A license type gives no licenses.
        let refused = await refusal {
            try await hall.licenseTypes.updateLicenseType(
                UpdateLicenseTypeRequest(
                    licenseType: LicenseType(id: license.id),
                    updateMask: FieldMask(paths: ["license_type_ids"])))
        }
        #expect(refused?.invalidFields == ["update_mask"])
        let renamed = try await hall.licenseTypes.updateLicenseType(
            UpdateLicenseTypeRequest(licenseType: LicenseType(id: license.id, name: "First steps")))
        #expect(renamed.name == "First steps" && renamed.courseIDs == [course.text])
    }

    @Test func `a change of something else than what was read is refused`() async throws {
        let made = try await hall.seatTypes.createSeatType(CreateSeatTypeRequest(name: "Gold"))
        _ = try await hall.seatTypes.updateSeatType(
            UpdateSeatTypeRequest(seatType: SeatType(id: made.id, name: "Silver")))

        var options = CallOptions()
        options.metadata[text: MetadataKey.ifMatch] = made.etag
        let (first, second) = (
            await refusal {
                try await hall.seatTypes.updateSeatType(
                    UpdateSeatTypeRequest(
                        seatType: SeatType(id: made.id, name: "Bronze", etag: made.etag)))
            },
            await refusal {
                try await hall.seatTypes.deleteSeatType(
                    DeleteSeatTypeRequest(id: made.id), options: options)
            }
        )

        #expect(first?.reason == "version_mismatch" && second?.reason == "version_mismatch")
        let read = try await hall.seatTypes.getSeatType(GetSeatTypeRequest(id: made.id))
        #expect(read.name == "Silver")
    }

    @Test func `what is in use cannot be deleted, and can once it is not`() async throws {
        // The copy of the tree is there with the first organization.
        try await hall.organization()
        let license = try await license("Basics")
        let seat = try await hall.seatTypes.createSeatType(
            CreateSeatTypeRequest(name: "Gold", licenseTypeIDs: [license.id]))
        let type = try await hall.tell(OrganizationType(name: "S", defaultSeatTypeID: seat.id))
        func deleteSeat() async -> String? {
            await refusal {
                try await hall.seatTypes.deleteSeatType(DeleteSeatTypeRequest(id: seat.id))
            }?.reason
        }
        func deleteLicense() async -> String? {
            await refusal {
                try await hall.licenseTypes.deleteLicenseType(
                    DeleteLicenseTypeRequest(id: license.id))
            }?.reason
        }

        #expect(await deleteSeat() == "seat_type_in_use")
        #expect(await deleteLicense() == "license_type_in_use")
        try await hall.tell(
            OrganizationType(
                id: type.text, name: "S",
                seatBenefits: SeatBenefits(manager: SeatBenefit(licenseTypes: [license.id]))))
        #expect(await deleteSeat() == nil)
        #expect(await deleteLicense() == "license_type_in_use")
        try await hall.tell(OrganizationType(id: type.text, name: "S", removed: true))
        #expect(await deleteLicense() == nil)
        #expect(await deleteLicense() == "not_found")
    }

    @Test func `those who run the platform change them, and whoever is signed in reads them`()
        async throws
    {
        let school = try await hall.organization()
        let standard = try await standard()
        for role in [Access.Role.platformAdmin, .partner, .owner, .member] {
            let node = role.isMembershipRole ? school : nil
            let channel = hall.way(of: role, at: node)
            let (seats, licenses) = (SeatTypesClient(channel), LicenseTypesClient(channel))
            let refused = [
                await refusal {
                    try await seats.createSeatType(CreateSeatTypeRequest(name: "A"))
                },
                await refusal {
                    try await seats.updateSeatType(
                        UpdateSeatTypeRequest(seatType: SeatType(id: standard.id, name: "A")))
                },
                await refusal {
                    try await seats.deleteSeatType(DeleteSeatTypeRequest(id: standard.id))
                },
                await refusal {
                    try await licenses.createLicenseType(CreateLicenseTypeRequest(name: "A"))
                },
            ]
            #expect(refused.allSatisfy { $0?.reason == "forbidden" }, "\(role)")
            #expect(
                try await seats.getSeatType(GetSeatTypeRequest(id: standard.id)) == standard)
            #expect(
                try await licenses.listLicenseTypes(ListLicenseTypesRequest()).totalSize == 0)
        }
        let nobody = SeatTypesClient(InProcessChannel(hall.router).acting { nil })
        let refused = await refusal { try await nobody.listSeatTypes(ListSeatTypesRequest()) }
        #expect(refused?.code == .unauthenticated)
    }

    @Test func `lists go by name in pages, which end early where types hold much`() async throws {
        let many: [CourseID] = (0..<500).map { _ in hall.identifiers.next() }
        for number in 0..<25 {
            _ = try await license("License \(Character(Unicode.Scalar(UInt8(97 + number))))", many)
        }

        var (names, pages, token): ([String], Int, String) = ([], 0, "")
        repeat {
            let page = try await hall.licenseTypes.listLicenseTypes(
                ListLicenseTypesRequest(pageSize: 500, pageToken: token))
            names += page.licenseTypes.map(\.name)
            #expect(page.totalSize == 25 && page.licenseTypes.count <= 20)
            (pages, token) = (pages + 1, page.nextPageToken)
        } while !token.isEmpty

        #expect(pages == 2)
        #expect(names.count == 25 && names == names.sorted())
    }

    @Test func `a repeated call makes one type`() async throws {
        var options = CallOptions()
        options.metadata[text: MetadataKey.idempotencyKey] = "seat-type-1"
        let client = SeatTypesClient(hall.way(of: hall.identifiers.next(), [.init(.platformOwner)]))
        let request = CreateSeatTypeRequest(name: "Gold")

        let first = try await client.createSeatType(request, options: options)
        let second = try await client.createSeatType(request, options: options)

        #expect(first == second)
        #expect(
            try await hall.seatTypes.listSeatTypes(ListSeatTypesRequest()).totalSize == 2)
    }
}
