import Access
import Messages
import RPC
import ServiceKit
import Testing

@testable import Branding

/// Logos.
struct ImageTests {
    @Test(arguments: [(1, 1), (2_048, 2_048), (640, 480)])
    func `size and format are read from the bytes`(width: Int, height: Int) throws {
        let png = try Image(Images.png(width: width, height: height), field: "image")
        let jpeg = try Image(Images.jpeg(width: width, height: height), field: "image")
        let progressive = try Image(
            Images.jpeg(width: width, height: height, frame: 0xC2), field: "image")

        #expect([png.format, jpeg.format, progressive.format] == [.png, .jpeg, .jpeg])
        #expect([png.width, jpeg.width, progressive.width] == [width, width, width])
        #expect([png.height, jpeg.height, progressive.height] == [height, height, height])
    }

    @Test(arguments: [
        [UInt8](), [0x89], Array("<svg xmlns=\"http://www.w3.org/2000/svg\"/>".utf8),
        Array("GIF89a".utf8), Array("<html>".utf8), Images.png(width: 0, height: 1),
        Images.png(width: 2_049, height: 1), Images.png(width: 1, height: 2_049),
        Images.jpeg(width: 2_049, height: 1), Images.jpeg(width: 0, height: 1),
        Images.png(width: 1, height: 1) + Array("<script>".utf8),
        Array(Images.png(width: 1, height: 1).dropLast(1)),
        Images.png(width: 1, height: 1, padding: 512 * 1_024),
        Array(Images.jpeg(width: 1, height: 1).dropLast(2)),
        Images.png(width: 0x7FFF_FFFF, height: 0xFFFF_FFFF),
    ])
    func `what is no logo is refused`(bytes: [UInt8]) throws {
        #expect(throws: FieldFault.self) { try Image(bytes, field: "image") }
    }

    @Test func `no damage to an image traps`() {
        for whole in [Images.png(width: 5, height: 6), Images.jpeg(width: 5, height: 6)] {
            for position in whole.indices {
                for byte: UInt8 in [0, 0x7F, 0xFF] {
                    var damaged = whole
                    damaged[position] = byte
                    _ = try? Image(damaged, field: "image")
                }
                _ = try? Image(Array(whole.prefix(position)), field: "image")
            }
        }
    }

    @Test func `a logo is served to everybody by the hash of its bytes`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let id = try await installation.organization()
        let image = Images.png(width: 20, height: 10)

        let own = try await owner.setLogo(SetLogoRequest(organizationID: id.text, image: image))

        let hash = try #require(own.logoHash)
        #expect(hash == AssetHash(digest(image)).text)
        let asset = try await installation.stranger().getAsset(GetAssetRequest(hash: hash))
        #expect(asset == Asset(hash: hash, contentType: "image/png", data: image))
        let effective = try await owner.getEffectiveAppearance(
            GetEffectiveAppearanceRequest(organizationID: id.text))
        #expect(effective.logo?.value == "/assets/\(hash)")
        #expect(effective.logo?.source == ValueSource(organizationID: id.text, distance: 0))
    }

    @Test(arguments: [
        "", "x", String(repeating: "A", count: 64), String(repeating: "0", count: 63),
    ])
    func `a hash that is none is refused`(hash: String) async throws {
        let refused = try await refusal {
            try await Installation().stranger().getAsset(GetAssetRequest(hash: hash))
        }

        #expect(refused.code == .invalidArgument)
    }

    @Test func `a hash of no image is not found`() async throws {
        let refused = try await refusal {
            try await Installation().stranger().getAsset(
                GetAssetRequest(hash: String(repeating: "0", count: 64)))
        }

        #expect(refused.reason == "not_found")
    }

    @Test func `a wrong image changes nothing`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let id = try await installation.organization(.sale)

        let refused = try await refusal {
            try await owner.setLogo(
                SetLogoRequest(organizationID: id.text, image: Array("<svg/>".utf8)))
        }

        #expect(refused.reason == "validation")
        #expect(refused.invalidFields == ["image"])
        let own = try await owner.getAppearance(GetAppearanceRequest(organizationID: id.text))
        #expect(own.whiteLabel == false)
        #expect(own.version == 0)
    }

    @Test func `two organizations may have one logo`() async throws {
        let installation = try Installation()
        let owner = try installation.platformOwner()
        let image = Images.jpeg(width: 1, height: 1)

        var hashes: Set<String?> = []
        for _ in 0..<2 {
            let id = try await installation.organization()
            hashes.insert(
                try await owner.setLogo(
                    SetLogoRequest(organizationID: id.text, image: image)
                ).logoHash)
        }

        #expect(hashes.count == 1)
    }
}
