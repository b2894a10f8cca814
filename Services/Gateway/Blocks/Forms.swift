import RPC

/// What comes by forms of pages: whether a page of the gateway sent it, and what stands in it.
struct Forms: Sendable {
    /// The fields of a form, and a few that programs add.
    static let fieldCountMax = 64
    /// The fields of a form in which one out of many can be ticked, such as courses.
    static let boxCountMax = 2_500

    let address: HTTPAddress
    let limits: Limits

    /// Whether somebody who does not say where a form comes from may send it.
    enum Silence {
        /// Programs may write as by the API.
        case isTaken
        /// It may use a session, which a browser sends along: it has to say where it comes from.
        case isRefused
    }

    /// Refuses a form that no page of the gateway has sent.
    ///
    /// Browsers say where a form comes from, and no page can make them say otherwise.
    /// - Parameters:
    ///   - request: The request with the form.
    ///   - silence: What becomes of a form that does not say where it comes from.
    /// - Throws: ``Problem/formFromElsewhere``.
    func requireFromHere(_ request: Incoming, silence: Silence) throws(Problem) {
        guard isFromHere(request) ?? (silence == .isTaken) else { throw .formFromElsewhere }
    }

    /// Whether a form comes from a page of the gateway; nil when nothing says so.
    private func isFromHere(_ request: Incoming) -> Bool? {
        if let site = request.field("sec-fetch-site") {
            return site == "same-origin" || site == "none"
        }
        guard let origin = request.field("origin") else { return nil }
        guard let authority = Self.authority(of: origin) else { return false }
        let here = [request.field("host"), Self.authority(of: address.publicURL)]
        return here.contains { $0?.lowercased() == authority.lowercased() }
    }

    /// The host and port in an address; nil when it has none, as `null`.
    private static func authority(of address: String) -> String? {
        guard let start = address.firstRange(of: "://")?.upperBound else { return nil }
        return String(address[start...].prefix { $0 != "/" })
    }

    /// What stands in a form.
    func query(
        of request: Incoming, countMax: Int = fieldCountMax
    ) async throws(Problem) -> Query {
        let body = try await request.body(limits.formBytesMax)
        guard request.mediaType == "application/x-www-form-urlencoded" else {
            throw .unsupportedType("application/x-www-form-urlencoded")
        }
        return try Query(
            String(decoding: body, as: UTF8.self), countMax: countMax)
    }

    /// What stands in a form that only a page of the gateway sends.
    func read(
        _ request: Incoming, countMax: Int = fieldCountMax
    ) async throws(Problem) -> Form {
        Form(try await query(of: request, countMax: countMax))
    }

    /// What stands in a form with a file.
    ///
    /// - Parameters:
    ///   - request: The request with the form.
    ///   - bytesMax: The bytes that the file may have.
    ///   - words: The same in words.
    /// - Returns: The form.
    /// - Throws: ``Problem`` when it is none, or larger.
    func readFile(
        _ request: Incoming, bytesMax: Int, _ words: String
    ) async throws(Problem) -> Form {
        guard let boundary = Multipart.boundary(in: request.field("content-type")) else {
            throw .unsupportedType("multipart/form-data")
        }
        let body: [UInt8]
        do throws(Problem) {
            body = try await request.body(bytesMax + Multipart.besideFileBytesMax)
        } catch {
            throw error.httpStatus == 413 ? .uploadTooLarge(Form.fileField, words) : error
        }
        let form = Form(try Multipart(body, boundary: boundary))
        guard form.file?.count ?? 0 <= bytesMax else {
            throw .uploadTooLarge(Form.fileField, words)
        }
        return form
    }
}

/// What was typed into a form, or stands in the query of a page.
struct Form: Sendable {
    /// The field with the key of the change.
    static let keyField = "key"
    /// The field with the file.
    static let fileField = "file"

    private var values: [String: [String]]
    /// The file that was chosen; nil when none was.
    private(set) var file: ArraySlice<UInt8>?

    /// A form in which nothing stands.
    init() {
        values = [:]
    }

    init(_ query: Query) {
        values = Dictionary(
            query.parameters.map { ($0.name, $0.values) }, uniquingKeysWith: { first, _ in first })
    }

    /// What stands in a form with a file.
    init(_ multipart: Multipart) {
        values = [:]
        for part in multipart.parts {
            if !part.isFile {
                values[part.name, default: []].append(String(decoding: part.content, as: UTF8.self))
            } else if part.name == Self.fileField, !part.content.isEmpty {
                file = part.content
            }
        }
    }

    /// A form with values, as it is shown before anybody has typed.
    init(_ values: [String: String]) {
        self.values = values.mapValues { [$0] }
    }

    /// What was typed into a field, with plain line breaks; empty when nothing was.
    subscript(name: String) -> String {
        get { (values[name]?.first ?? "").replacing("\r\n", with: "\n") }
        set { values[name] = [newValue] }
    }

    /// Everything that was typed, to be sent once more; several values of a name stay in order.
    var pairs: [(name: String, value: String)] {
        values.sorted { $0.key < $1.key }.flatMap { name, all in
            all.map { (name: name, value: $0) }
        }
    }

    /// Takes a field over from another form, be it that it has none there.
    mutating func take(_ name: String, from other: Form) {
        values[name] = other.values[name]
    }

    /// The values of boxes that were ticked.
    func all(_ name: String) -> [String] { values[name] ?? [] }

    /// Ticks boxes, and no others of the name.
    mutating func tick(_ name: String, _ ticked: [String]) {
        values[name] = ticked.isEmpty ? nil : ticked
    }

    /// Whether a box was ticked.
    func has(_ name: String) -> Bool { values[name] != nil }

    /// The key of the change, made when the form was shown: sent twice, it is done once.
    var key: String {
        let sent = self[Self.keyField]
        let isKey =
            (1...128).contains(sent.utf8.count)
            && sent.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        return isKey ? sent : RequestIdentifier.make()
    }

    /// The same form to be sent again after a problem.
    ///
    /// What was refused is another change once it is mended, and has a key of its own. What may
    /// have been done, though nobody knows, keeps its key.
    func renewed(after problem: Problem) -> Form {
        var form = self
        if problem.httpStatus < 500 { form[Self.keyField] = RequestIdentifier.make() }
        return form
    }
}

extension Problem {
    /// A form that another site has sent.
    static let formFromElsewhere = Problem(
        httpStatus: 403, code: "forbidden",
        message: "The form was sent by another site. Please send it from this page.")
}
