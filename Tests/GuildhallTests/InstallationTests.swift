import Foundation
import Testing

@testable import guildhall

@Suite struct InstallationTests {
    @Test func `a sign-in that is kept already is not written again`() throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "installation-\(UUID().uuidString)")
        let build = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent()
        let installation = try Installation(data: folder, executables: build)
        let owner = try installation.owner(email: "ada@example.com", password: "a password")
        let file = URL(filePath: installation.ownerFilePath)
        let past = Date(timeIntervalSince1970: 1_000_000)
        try FileManager.default.setAttributes([.modificationDate: past], ofItemAtPath: file.path)
        func changed() throws -> Date? {
            try FileManager.default.attributesOfItem(atPath: file.path)[.modificationDate] as? Date
        }

        try installation.keep(owner)
        #expect(try changed() == past)

        try installation.keep(OwnerSignIn(email: owner.email, password: "another"))
        #expect(try changed() != past)
        #expect(try String(contentsOf: file, encoding: .utf8).contains("another"))
        try FileManager.default.removeItem(at: folder)
    }

    @Test func `a sign-in made up beside a database that is there is kept once it has worked`()
        throws
    {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "installation-\(UUID().uuidString)")
        let build = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent()
        let installation = try Installation(data: folder, executables: build)
        let database = folder.appending(path: Part.membership.databaseName)
        try Data().write(to: database)
        func isKept() -> Bool {
            FileManager.default.fileExists(atPath: installation.ownerFilePath)
        }

        let owner = try installation.owner(email: nil, password: nil)
        #expect(!isKept())

        try installation.keep(owner)
        #expect(isKept())
        try FileManager.default.removeItem(at: folder)
    }
}
