import Access
import Encodings
import ServiceKit

// What hooks are told: the whole state after a change, as JSON (Standard Webhooks).

/// An organization as hooks are told of it.
struct HookSubject: Sendable, Hashable {
    let id: OrganizationID
    let parent: OrganizationID?
    let title: String
    /// Whether it is set to be active.
    let isActivated: Bool
    let origin: Origin
    /// What an outside system calls it; nil when nothing was set, or it is gone for good.
    let externalID: String?
    let version: Int64
    /// Prepared by a workflow: nobody knows of it yet.
    let isProvisioning: Bool
    let isArchived: Bool
    /// Gone for good.
    let isRemoved: Bool
    let trialUntil: CalendarDay?
    let expiresOn: CalendarDay?
}

extension HookTopic {
    /// What a change of an organization is told as; nil: nothing is told.
    ///
    /// - Parameters:
    ///   - before: How it was; nil when it was not, or nobody knows any more.
    ///   - after: How it is.
    init?(from before: HookSubject?, to after: HookSubject) {
        if after.isProvisioning { return nil }
        let wasSecret = before.map(\.isProvisioning) ?? (after.version == 1)
        if after.isRemoved {
            if wasSecret { return nil }
            self = .removed
        } else if wasSecret {
            self = .created
        } else if after.isArchived {
            self = before?.isArchived == true ? .updated : .archived
        } else {
            self = before?.isArchived == true ? .restored : .updated
        }
    }
}

/// A lapse as hooks are told of it.
struct HookLapse: Sendable, Hashable {
    /// As the API names it.
    let kind: String
    let lastDay: CalendarDay?
}

/// What is sent.
enum HookBody {
    /// What has become of an organization.
    ///
    /// - Parameters:
    ///   - topic: What is told.
    ///   - time: When it happened, as RFC 3339 has it.
    ///   - subject: The organization after that.
    ///   - lapse: What has lapsed, if that is told.
    /// - Returns: The JSON.
    static func text(
        _ topic: HookTopic, at time: String, _ subject: HookSubject, lapse: HookLapse? = nil
    ) -> String {
        var data: [JSONValue.Member] = [
            .init(name: "id", value: .string(subject.id.text)),
            .init(name: "version", value: .string("\(subject.version)")),
        ]
        if topic != .removed {
            data += [
                .init(name: "parentId", value: subject.parent.map { .string($0.text) } ?? .null),
                .init(name: "title", value: .string(subject.title)),
                .init(name: "status", value: .string(subject.status)),
                .init(name: "archived", value: .bool(subject.isArchived)),
                .init(name: "origin", value: .string(subject.origin.name)),
            ]
            data += member("externalId", subject.externalID)
            data += member("trialUntil", subject.trialUntil?.text)
            data += member("expiresOn", subject.expiresOn?.text)
        }
        data += member("lapse", lapse?.kind)
        data += member("lastDay", lapse?.lastDay?.text)
        return text(topic, at: time, data)
    }

    /// That an organization has gone to a place of which a hook is not told: no more than that.
    static func movedAway(at time: String, _ subject: HookSubject) -> String {
        text(
            .updated, at: time,
            [
                .init(name: "id", value: .string(subject.id.text)),
                .init(name: "version", value: .string("\(subject.version)")),
                .init(name: "movedAway", value: .bool(true)),
            ])
    }

    /// A call that somebody asked for, to see whether it arrives.
    static func test(at time: String, _ hook: HookID, of organization: OrganizationID) -> String {
        text(
            .test, at: time,
            [
                .init(name: "hookId", value: .string(hook.text)),
                .init(name: "organizationId", value: .string(organization.text)),
            ])
    }

    private static func member(_ name: String, _ text: String?) -> [JSONValue.Member] {
        text.map { [.init(name: name, value: .string($0))] } ?? []
    }

    private static func text(
        _ topic: HookTopic, at time: String, _ data: [JSONValue.Member]
    ) -> String {
        let document = JSONValue.object([
            .init(name: "type", value: .string(topic.name)),
            .init(name: "timestamp", value: .string(time)),
            .init(name: "data", value: .object(data)),
        ])
        return String(decoding: document.encoded, as: UTF8.self)
    }
}

extension HookSubject {
    /// As the API names it.
    fileprivate var status: String {
        isActivated ? "ORGANIZATION_STATUS_ACTIVE" : "ORGANIZATION_STATUS_INACTIVE"
    }
}

extension Origin {
    /// As the API names it.
    fileprivate var name: String {
        switch self {
        case .manual: "ORGANIZATION_ORIGIN_MANUAL"
        case .bulkImport: "ORGANIZATION_ORIGIN_IMPORT"
        case .api: "ORGANIZATION_ORIGIN_API"
        case .automatic: "ORGANIZATION_ORIGIN_AUTO"
        case .signup: "ORGANIZATION_ORIGIN_SIGNUP"
        case .sale: "ORGANIZATION_ORIGIN_SALE"
        case .partner: "ORGANIZATION_ORIGIN_PARTNER"
        }
    }
}
