import Messages
import RPC

/// Serves images by the hash of their bytes: public, kept by anyone for ever.
struct Assets: Sendable {
    /// What the paths begin with.
    static let prefix = "/assets/"
    /// The longest hash.
    private static let hashLengthMax = 128
    /// The only types that are served; another one is a defect of Branding.
    private static let types: Set<String> = ["image/png", "image/jpeg"]

    let branding: any Channel
    let callTimeout: Duration

    /// Answers with the image, or with 404.
    func answer(_ request: Incoming) async throws -> Answer {
        let hash = String(request.path.dropFirst(Self.prefix.count))
        guard (1...Self.hashLengthMax).contains(hash.utf8.count),
            hash.utf8.allSatisfy({ $0 < 0x80 && Character(Unicode.Scalar($0)).isHexDigit })
        else { throw Problem.noSuchRoute }
        var fields = [
            "Cache-Control": "public, max-age=31536000, immutable",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "cross-origin", "ETag": "\"\(hash)\"",
        ]
        // The bytes never change, so who has them needs no proof that they are still there.
        if ETag.matches(request.field("if-none-match"), hash) {
            return Answer(status: 304, fields: fields)
        }
        let asset: Asset
        do {
            asset = try await BrandingClient(branding).getAsset(
                GetAssetRequest(hash: hash), options: CallOptions(timeout: callTimeout))
        } catch {
            throw Problem(Status(thrown: error), from: .branding)
        }
        guard Self.types.contains(asset.contentType) else { throw Problem.internal }
        fields["Content-Type"] = asset.contentType
        return Answer(status: 200, fields: fields, body: asset.data)
    }
}
