import Testing

@testable import Gateway

/// Forms with a file, taken apart.
struct MultipartTests {
    private static let boundary = Array("b1".utf8)
    private static let file = #"Content-Disposition: form-data; name="file"; filename="a.csv""#

    private static func parts(_ body: String) throws(Problem) -> [Multipart.Part] {
        try Multipart(Array(body.utf8), boundary: boundary).parts
    }

    private static func part(_ head: String, _ content: String) -> String {
        "--b1\r\n\(head)\r\n\r\n\(content)\r\n"
    }

    @Test func `fields and the file are told apart, byte for byte`() throws {
        let content = "a\r\nb\r\n--b\r\n--\r\n\r--b1\r\n-b1\u{0}"
        let parts = try Self.parts(
            Self.part(#"Content-Disposition: form-data; name="key""#, "k 1")
                + Self.part("\(Self.file)\r\nContent-Type: text/csv", content)
                + Self.part("content-disposition:form-data;name=plain", "") + "--b1--\r\n")

        #expect(parts.map(\.name) == ["key", "file", "plain"])
        #expect(parts.map(\.isFile) == [false, true, false])
        #expect(Array(parts[1].content) == Array(content.utf8))
        #expect(parts[2].content.isEmpty)
    }

    @Test func `a form has one file, and none when none was chosen`() throws {
        let none = Form(
            try Multipart(
                Array((Self.part(Self.file, "") + "--b1--").utf8), boundary: Self.boundary))
        let other = Form(
            try Multipart(
                Array(
                    (Self.part(
                        #"Content-Disposition: form-data; name="x"; filename="a""#, "1")
                        + Self.part(#"Content-Disposition: form-data; name="key""#, "1\r\n2")
                        + "--b1--").utf8), boundary: Self.boundary))

        #expect(none.file == nil)
        #expect(other.file == nil && other["key"] == "1\n2")
    }

    @Test(arguments: [
        "", "--b1", "--b1\r", "--b1\r\n", "b1\r\n", "--b2--", "preamble\r\n--b1--",
        "--b1x\r\n\r\n\r\n--b1--",
        // A part that does not end, has no header, no name, or is no field of a form.
        part(file, "1"), "--b1\r\n\(file)", "--b1\r\n\(file)\r\n\r\n1\r\n--b",
        "--b1\r\n\(file)\r\n\r\n1\r\n--b1-", "--b1\r\n\r\n1\r\n--b1--",
        part("Content-Disposition: form-data", "1") + "--b1--",
        part(#"Content-Disposition: attachment; name="file""#, "1") + "--b1--",
        part(#"Content-Type: text/csv"#, "1") + "--b1--",
    ])
    func `what is cut off or no form is refused`(body: String) {
        let problem = #expect(throws: Problem.self) { try Self.parts(body) }
        #expect(problem?.httpStatus == 400)
        #expect(problem?.message.hasPrefix("The form could not be read.") == true)
    }

    @Test func `a form has 32 fields, each with a header of 2 KiB`() throws {
        let field = Self.part(#"Content-Disposition: form-data; name="a""#, "1")
        let long = String(repeating: "x", count: 2_048 - Self.file.utf8.count - 6)
        let most = String(repeating: field, count: 32)

        #expect(try Self.parts(most + "--b1--").count == 32)
        #expect(throws: Problem.self) { try Self.parts(most + field + "--b1--") }
        #expect(
            try Self.parts(Self.part("\(Self.file)\r\nX: \(long.dropLast())", "1") + "--b1--").count
                == 1)
        #expect(throws: Problem.self) {
            try Self.parts(Self.part("\(Self.file)\r\nX: \(long)x", "1") + "--b1--")
        }
    }

    @Test func `beginnings of the delimiter in a file cost no more than other bytes`() throws {
        let delimiter = [UInt8](repeating: UInt8(ascii: "a"), count: 70)
        let almost = Array("\r\n--".utf8) + delimiter.dropLast()
        let content = [[UInt8]](repeating: almost, count: 4_000).flatMap { $0 }
        let head = Array("--".utf8) + delimiter + Array("\r\n\(Self.file)\r\n\r\n".utf8)
        let body = head + content + Array("\r\n--".utf8) + delimiter + Array("--".utf8)

        #expect(
            try Multipart(body, boundary: delimiter).parts.first?.content.count == content.count)
    }

    @Test(arguments: [
        ("multipart/form-data; boundary=b1", "b1"),
        ("Multipart/Form-Data; charset=utf-8; Boundary=\"b 1\"", "b 1"),
        ("multipart/form-data;boundary=----WebKit'()+_,-./:=?", "----WebKit'()+_,-./:=?"),
    ])
    func `the boundary stands in the type`(type: String, boundary: String) {
        #expect(Multipart.boundary(in: type) == Array(boundary.utf8))
    }

    @Test(arguments: [
        "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=b1",
        "multipart/form-data; boundary=\"b\r\n1\"", "multipart/form-data; boundary=\"b \"",
        "multipart/form-data; boundary=" + String(repeating: "b", count: 71), "text/csv",
    ])
    func `a type without a boundary that is one is none`(type: String) {
        #expect(Multipart.boundary(in: type) == nil)
        #expect(Multipart.boundary(in: nil) == nil)
    }
}
