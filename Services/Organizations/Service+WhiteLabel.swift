import Access
import Messages
import RPC
import ServiceKit
import Storage

// Whether an organization may have custom URLs: it needs white label, which Branding owns.

extension Service {
    /// Pauses between questions about an organization that has not arrived at Branding yet.
    private static let arrivalPause: Duration = .milliseconds(50)

    /// Requires that white label is on for an organization, unless the call is answered already.
    ///
    /// Nothing that is thrown here is kept under the call's key: white label may be switched on,
    /// and Branding come back.
    /// - Throws: ``OutOfScope`` and `PERMISSION_DENIED` before anything is asked,
    ///   ``Refusal/whiteLabelDisabled``, `UNAVAILABLE` when Branding does not say.
    func requireWhiteLabel(
        of id: OrganizationID, for request: some Message, _ context: CallContext
    ) async throws {
        if try database.isRepeated(context, request) { return }
        let principal = try context.principal
        let day = context.now.day
        try database.readInline { snapshot in
            let (_, line) = try snapshot.organization(id, seenBy: principal, on: day)
            try principal.requireOpen(.editAppearance, at: line)
        }
        // What is left of the deadline is for the change itself.
        let limit = context.patience(atMost: limits.arrivalTimeMax)
        let end = ContinuousClock.now.advanced(by: limit)
        while true {
            if let isOn = try await hasWhiteLabel(id, until: end, context) {
                guard isOn else { throw Refusal.whiteLabelDisabled }
                return
            }
            guard ContinuousClock.now.advanced(by: Self.arrivalPause) < end else {
                throw Status.notArrived
            }
            try await Task.sleep(for: Self.arrivalPause)
        }
    }

    /// Whether white label is on; nil while Branding does not know the organization.
    private func hasWhiteLabel(
        _ id: OrganizationID, until end: ContinuousClock.Instant, _ context: CallContext
    ) async throws -> Bool? {
        let timeout = min(limits.acknowledgementTimeMax, ContinuousClock.now.duration(to: end))
        do {
            let appearance = try await others.ownAppearance(
                GetAppearanceRequest(organizationID: id.text), context.tracing(timeout: timeout))
            return appearance.whiteLabel
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            guard Status(thrown: error).code != .notFound else { return nil }
            // Whatever the reason: without an answer nothing is opened.
            throw Status.whiteLabelUnknown
        }
    }
}

extension Status {
    /// Branding did not say whether white label is on.
    fileprivate static var whiteLabelUnknown: Status {
        passing(
            .unavailable,
            """
            Custom URLs need white label, and Branding does not answer whether it is on. Please \
            try again shortly.
            """)
    }

    /// An organization of which Branding has not heard yet.
    fileprivate static var notArrived: Status {
        passing(
            .notAcknowledged,
            """
            Custom URLs need white label, and the organization has not arrived at Branding yet. \
            Please retry with the same idempotency key.
            """)
    }
}
