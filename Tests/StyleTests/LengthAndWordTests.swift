import Testing

/// What the formatter does not know of the style.
@Suite struct LengthAndWordTests {
    static let fileLinesMax = 400
    static let lineLengthMax = 100

    private let files = SourceTree.here.all

    @Test func `files and lines keep their lengths`() {
        for file in files {
            #expect(file.lines.count <= Self.fileLinesMax, "\(file.path)")
            for (number, line) in file.lines.enumerated() {
                #expect(line.count <= Self.lineLengthMax, "\(file.path):\(number + 1)")
            }
        }
        #expect(files.count > 50)
    }

    /// Spelled in halves, so that this file does not hold what it forbids.
    static let banned: [String] = [
        "pri" + "nt(", "Task." + "detached", "@unch" + "ecked", "try" + "! ", "as" + "! ",
        "nonisolated(un" + "safe)", "TO" + "DO", "FIX" + "ME", "fatal" + "Error(",
    ]

    @Test(arguments: banned)
    func `banned words do not occur`(word: String) {
        for file in files {
            for (number, line) in file.lines.enumerated() {
                #expect(!line.contains(word), "\(file.path):\(number + 1)")
            }
        }
    }

    @Test func `services make nothing public`() {
        for file in SourceTree.here.files(below: "Services") {
            for (number, line) in file.lines.enumerated() {
                let words = line.split(separator: " ")
                let isPublic = words.first == "public" && words.dropFirst().first != "import"
                #expect(!isPublic, "\(file.path):\(number + 1)")
            }
        }
    }
}
