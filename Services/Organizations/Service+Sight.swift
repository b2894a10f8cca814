import Access
import Messages
import RPC
import ServiceKit
import Storage

// Which organizations an answer names: what refuses may be set far above whoever asks.

/// The organizations of which a caller may know.
struct Sight: Sendable {
    private let known: Set<String>

    fileprivate init(_ known: Set<String>) {
        self.known = known
    }

    /// An identifier as the caller may read it: empty for that of any other organization.
    func shown(_ id: String) -> String {
        known.contains(id) ? id : ""
    }
}

extension Reading {
    /// Which of some organizations a principal may know of: those that GetOrganization answers.
    ///
    /// - Parameters:
    ///   - principal: Who asks.
    ///   - ids: The identifiers as text; what is none names nothing.
    ///   - day: Today.
    /// - Returns: What may be shown.
    /// - Throws: `StorageFault`.
    func sight(
        of principal: Access.Principal, among ids: some Sequence<String>, on day: CalendarDay
    ) throws -> Sight {
        let known = try Set(ids).filter { text in
            guard let id = OrganizationID(text: text) else { return false }
            let levels = try levels(to: id)
            return !levels.isEmpty && principal.sees(Line(levels, on: day))
        }
        return Sight(known)
    }
}

extension Service {
    /// Does what may be refused far above whoever asks; a refusal names no organization of which
    /// they may not know.
    ///
    /// Numbers stay: they say how many do not fit.
    func namingTheSeen<Reply: Sendable>(
        _ context: CallContext, _ work: () async throws -> Reply
    ) async throws -> Reply {
        do {
            return try await work()
        } catch let error as any StatusConvertible {
            let status = error.status
            guard !status.places.isEmpty else { throw error }
            let principal = try context.principal
            let sight = try database.readInline { snapshot in
                try snapshot.sight(of: principal, among: status.places, on: context.now.day)
            }
            throw status.shown(to: sight)
        }
    }
}

extension Status {
    /// Where a fact about a refusal says at which organization it holds.
    private static var placeKey: String { "at" }

    /// The organizations at which something refuses.
    fileprivate var places: Set<String> {
        var places: Set<String> = []
        for detail in details {
            switch detail {
            case .errorInfo(_, _, let metadata):
                if let place = metadata[Self.placeKey] { places.insert(place) }
            case .preconditionFailure(let violations):
                places.formUnion(violations.map(\.subject))
            case .badRequest, .retryInfo, .other: break
            }
        }
        return places
    }

    /// The status without the organizations of which somebody may not know.
    fileprivate func shown(to sight: Sight) -> Status {
        var status = self
        status.details = details.map { detail in
            switch detail {
            case .errorInfo(let reason, let domain, let metadata):
                let facts = metadata.filter { key, value in
                    key != Self.placeKey || !sight.shown(value).isEmpty
                }
                return .errorInfo(reason: reason, domain: domain, metadata: facts)
            case .preconditionFailure(let violations):
                return .preconditionFailure(
                    violations.map { violation in
                        StatusDetail.PreconditionViolation(
                            type: violation.type, subject: sight.shown(violation.subject),
                            description: violation.description)
                    })
            case .badRequest, .retryInfo, .other: return detail
            }
        }
        return status
    }
}
