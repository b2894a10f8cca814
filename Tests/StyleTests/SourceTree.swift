import Foundation

/// The project's own sources, as the checks of the style read them.
struct SourceTree: Sendable {
    /// One Swift file.
    struct File: Sendable {
        /// The path from the top of the project.
        let path: String
        let lines: [String]

        /// The modules that the file imports.
        var imports: [String] {
            lines.compactMap { line in
                var words = line.split(separator: " ").map(String.init)
                while let first = words.first, first.hasPrefix("@") || Self.levels.contains(first) {
                    words.removeFirst()
                }
                guard words.count >= 2, words[0] == "import" else { return nil }
                return words.last
            }
        }

        private static let levels: Set<String> = ["public", "package", "internal", "private"]
    }

    let root: URL

    /// The tree that this file lies in.
    static let here = SourceTree(
        root: URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent())

    /// The Swift files below a folder that are written by hand.
    func files(below folder: String) -> [File] {
        let base = root.appending(path: folder)
        guard let paths = FileManager.default.enumerator(atPath: base.path) else { return [] }
        return paths.compactMap { $0 as? String }
            .filter { $0.hasSuffix(".swift") && !$0.contains("Generated/") }
            .filter { !$0.contains(".build") }
            .sorted()
            .compactMap { path in
                guard
                    let text = try? String(
                        contentsOf: base.appending(path: path), encoding: .utf8)
                else { return nil }
                return File(
                    path: "\(folder)/\(path)",
                    lines: text.split(separator: "\n", omittingEmptySubsequences: false)
                        .map(String.init))
            }
    }

    /// Every Swift file of the project that is written by hand.
    var all: [File] {
        ["Sources", "Services", "Tests"].flatMap { files(below: $0) }
    }

    /// The names in a folder, hidden ones left out.
    func names(in folder: String) -> Set<String> {
        let names = try? FileManager.default.contentsOfDirectory(
            atPath: root.appending(path: folder).path)
        return Set((names ?? []).filter { !$0.hasPrefix(".") })
    }
}
