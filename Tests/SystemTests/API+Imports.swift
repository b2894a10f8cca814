import Foundation
import Testing

// Structures that come as files.
extension API {
    /// Hands a file in and waits for its plan.
    func importing(
        _ file: Data, in installation: RunningInstallation
    ) async throws -> JSON {
        let handed = try await call(
            "POST", "/v1/imports", body: file, contentType: "application/octet-stream")
        try #require(handed.status == 202, "\(handed.body)")
        return try await ended(try #require(handed.body.id.string), in: installation)
    }

    /// An import once nothing of it is under way.
    func ended(
        _ id: String, in installation: RunningInstallation
    ) async throws -> JSON {
        let underWay = ["IMPORT_STATE_PLANNING", "IMPORT_STATE_APPLYING"]
        try await installation.until("the import has come to its end") {
            let state = try await get("/v1/imports/\(id)").body.state.string
            return state.map { !underWay.contains($0) } ?? false
        }
        return try await get("/v1/imports/\(id)").body
    }
}
