import Messages
import RPC
import ServiceKit

@testable import Gateway

// The imports of the guild, and what its organizations look like.

extension Guild {
    /// What is known of imports.
    struct Importing {
        /// The only import.
        var run = Import()
        var rows: [ImportRow] = []
        var nextPage = ""
        var askedRows = ListImportRowsRequest()
        var askedList = ListImportsRequest()
        /// The files that were handed in, each with the organization from which on it counts.
        var files: [(parent: String, content: [UInt8])] = []
        /// How often the import is asked for until its plan is there; nil: it stays as it is.
        var asksUntilPlanned: Int?
        /// How often it was asked whether a file may come.
        var checks = 0
        /// What the question whether a file may come ends in.
        var refusal: Status?
        /// What the question for the import ends in.
        var readRefusal: Status?
    }

    /// What the school looks like.
    struct Look {
        var own = Appearance(organizationID: Guild.school, whiteLabel: true, etag: "a1")
        var effective = EffectiveAppearance(
            organizationID: Guild.school,
            primary: SourcedValue(value: "#1f4e8c", source: ValueSource()),
            secondary: SourcedValue(
                value: "#f2a33a", source: ValueSource(organizationID: Guild.district, distance: 1)))
        var logo: [UInt8] = []
    }

    /// The identifier of the only import.
    static let importID = "01890000-0000-7000-8000-000000000001"

    var imports: [RegisteredMethod] {
        [
            serve(ImportsMethods.checkImport) {
                (_: CheckImportRequest, _) throws -> CheckImportReply in
                if let refusal = self.with({ $0.importing.refusal }) { throw refusal }
                self.with { $0.importing.checks += 1 }
                return CheckImportReply()
            },
            RegisteredMethod(
                ImportsMethods.planImport,
                .clientStreaming { requests, _ in
                    var parent = ""
                    var content: [UInt8] = []
                    while let request = try await requests.next() {
                        let part = try PlanImportRequest(decoding: request.bytes, limits: .bulk)
                        if !part.parent.isEmpty { parent = part.parent }
                        content += part.content
                    }
                    let file = (parent, content)
                    return self.with { state in
                        state.importing.files.append(file)
                        state.importing.run.id = Self.importID
                        state.importing.run.state = .planning
                        return .message(state.importing.run)
                    }
                }),
            serve(ImportsMethods.getImport) { (request: GetImportRequest, _) throws -> Import in
                if let refusal = self.with({ $0.importing.readRefusal }) { throw refusal }
                guard request.id == Self.importID else {
                    throw Status.notFound("There is no such import.")
                }
                return self.with { state in
                    if let asks = state.importing.asksUntilPlanned, state.importing.run.isPlanning {
                        state.importing.asksUntilPlanned = asks - 1
                        if asks <= 1 { state.importing.run.state = .planned }
                    }
                    return state.importing.run
                }
            },
            serve(ImportsMethods.listImports) {
                (request: ListImportsRequest, _) -> ListImportsReply in
                self.with { state in
                    state.importing.askedList = request
                    let runs = state.importing.run.id.isEmpty ? [] : [state.importing.run]
                    return ListImportsReply(
                        imports: runs, nextPageToken: state.importing.nextPage,
                        totalSize: Int64(runs.count))
                }
            },
            serve(ImportsMethods.listImportRows) {
                (request: ListImportRowsRequest, _) -> ListImportRowsReply in
                self.with { state in
                    state.importing.askedRows = request
                    return ListImportRowsReply(
                        rows: state.importing.rows, nextPageToken: state.importing.nextPage)
                }
            },
            serve(ImportsMethods.applyImport) {
                (request: ApplyImportRequest, context) throws -> Import in
                try self.change(request.skipRows ? "apply without errors" : "apply", context) {
                    $0.importing.run.state = .applying
                    return $0.importing.run
                }
            },
            serve(ImportsMethods.cancelImport) {
                (_: CancelImportRequest, context) throws -> Import in
                try self.change("cancel import", context) {
                    $0.importing.run.state = .cancelled
                    return $0.importing.run
                }
            },
            RegisteredMethod(
                ImportsMethods.getImportExample,
                .serverStreaming { payload, _, replies in
                    let request = try GetImportExampleRequest(decoding: payload.bytes)
                    try await replies.write(
                        .message(
                            FilePart(
                                name: "example.\(request.format)",
                                contentType: "text/csv; charset=utf-8",
                                data: Array("Title\n".utf8))))
                }),
        ]
    }

    var looks: [RegisteredMethod] {
        [
            serve(BrandingMethods.getAppearance) { (_: GetAppearanceRequest, _) -> Appearance in
                self.with { $0.look.own }
            },
            serve(BrandingMethods.getEffectiveAppearance) {
                (_: GetEffectiveAppearanceRequest, _) -> EffectiveAppearance in
                self.with { $0.look.effective }
            },
            serve(BrandingMethods.updateAppearance) {
                (request: UpdateAppearanceRequest, context) throws -> Appearance in
                let colors = request.colors ?? Colors()
                let set =
                    [("primary", colors.primary), ("secondary", colors.secondary)]
                    .compactMap { name, value in value.map { "\(name) \($0)" } }
                    + colors.advanced.map { "\($0.key) \($0.value)" }
                return try self.changeLook("color " + set.joined(separator: ", "), context) {
                    if let primary = colors.primary { $0.own.colors = Colors(primary: primary) }
                }
            },
            serve(BrandingMethods.resetAppearance) {
                (request: ResetAppearanceRequest, context) throws -> Appearance in
                try self.changeLook("inherit \(request.field)", context) { _ in }
            },
            serve(BrandingMethods.setWhiteLabel) {
                (request: SetWhiteLabelRequest, context) throws -> Appearance in
                try self.changeLook("white label \(request.enabled ? "on" : "off")", context) {
                    $0.own.whiteLabel = request.enabled
                }
            },
            RegisteredMethod(
                BrandingMethods.setLogo,
                .unary { payload, context in
                    let request = try SetLogoRequest(decoding: payload.bytes, limits: .bulk)
                    return .message(
                        try self.changeLook("logo", context) { $0.logo = request.image })
                }),
        ]
    }

    private func changeLook(
        _ name: String, _ context: CallContext, _ body: (inout Look) -> Void
    ) throws -> Appearance {
        try change(name, context) { state in
            try Self.require(state.look.own.etag, context)
            body(&state.look)
            state.look.own.etag += "+"
            return state.look.own
        }
    }
}

extension Import {
    fileprivate var isPlanning: Bool { state == .planning }
}
