public import RPC

/// Every reason with which a service may refuse a call, with its statuses in HTTP and RPC.
///
/// What is wrong with HTTP itself, such as a body that is too large, is the gateway's to say.
public enum ErrorReason: String, Sendable, Hashable, CaseIterable {
    // 400
    case malformedMessage = "malformed_message"
    case idempotencyKeyRequired = "idempotency_key_required"
    case idempotencyKeyInvalid = "idempotency_key_invalid"
    // 401
    case unauthenticated
    case wrongCredentials = "wrong_credentials"
    // 403
    case forbidden
    case orgCreationClosed = "org_creation_closed"
    case invitationEmailMismatch = "invitation_email_mismatch"
    case emailNotVerified = "email_not_verified"
    case onlyPlatformOwner = "only_platform_owner"
    // 404
    case notFound = "not_found"
    // 409
    case nameTaken = "name_taken"
    case emailTaken = "email_taken"
    case orgNotActive = "org_not_active"
    case orgMoving = "org_moving"
    case hasChildren = "has_children"
    case parentArchived = "parent_archived"
    case alreadyMember = "already_member"
    case memberBlocked = "member_blocked"
    case seatsExhausted = "seats_exhausted"
    case roleQuotaReached = "role_quota_reached"
    case membersLimitReached = "members_limit_reached"
    case belowUsage = "below_usage"
    case aboveCeiling = "above_ceiling"
    case lastOwner = "last_owner"
    case emailMaskTaken = "email_mask_taken"
    case emailMaskUnverified = "email_mask_unverified"
    case slugTaken = "slug_taken"
    case whiteLabelDisabled = "white_label_disabled"
    case planStale = "plan_stale"
    case importHasErrors = "import_has_errors"
    case typeInUse = "type_in_use"
    case seatTypeInUse = "seat_type_in_use"
    case licenseTypeInUse = "license_type_in_use"
    case invitationNotPending = "invitation_not_pending"
    case wrongState = "wrong_state"
    case commandCancelled = "command_cancelled"
    case tooManyGrants = "too_many_grants"
    case identifierTaken = "identifier_taken"
    case saleState = "sale_state"
    case mixedCurrencies = "mixed_currencies"
    case amountTooLarge = "amount_too_large"
    case tooManySeats = "too_many_seats"
    case tooManyAPIKeys = "too_many_api_keys"
    case moduleInUse = "module_in_use"
    case chapterInUse = "chapter_in_use"
    case subscriptionExists = "subscription_exists"
    case subscriptionClosed = "subscription_closed"
    // 410
    case customURLDisabled = "custom_url_disabled"
    case customURLReleased = "custom_url_released"
    case invitationExpired = "invitation_expired"
    case verificationExpired = "verification_expired"
    // 412
    case versionMismatch = "version_mismatch"
    // 422
    case validation
    case pageTokenInvalid = "page_token_invalid"
    case pageSizeInvalid = "page_size_invalid"
    case depthExceeded = "depth_exceeded"
    case cycle
    case slugInvalid = "slug_invalid"
    case slugReserved = "slug_reserved"
    case publicEmailDomain = "public_email_domain"
    case dateInPast = "date_in_past"
    case trialNeedsDate = "trial_needs_date"
    case distributorDiscountRequired = "distributor_discount_required"
    case outsideRegion = "outside_region"
    case idempotencyMismatch = "idempotency_mismatch"
    case paymentMismatch = "payment_mismatch"
    // 429 and 503
    case busy
    case unavailable
    case notAcknowledged = "not_acknowledged"
    // 500
    case outcomeUnknown = "outcome_unknown"
    case `internal`

    /// The status of an HTTP answer.
    public var httpStatus: Int {
        switch self {
        case .malformedMessage, .idempotencyKeyRequired, .idempotencyKeyInvalid: 400
        case .unauthenticated, .wrongCredentials: 401
        case .forbidden, .orgCreationClosed, .invitationEmailMismatch, .emailNotVerified,
            .onlyPlatformOwner:
            403
        case .notFound: 404
        case .nameTaken, .emailTaken, .orgNotActive, .orgMoving, .hasChildren, .parentArchived,
            .alreadyMember, .memberBlocked, .seatsExhausted, .roleQuotaReached,
            .membersLimitReached, .belowUsage, .aboveCeiling, .lastOwner, .emailMaskTaken,
            .emailMaskUnverified, .slugTaken, .whiteLabelDisabled, .planStale, .importHasErrors,
            .typeInUse, .seatTypeInUse, .licenseTypeInUse,
            .invitationNotPending, .wrongState, .commandCancelled, .tooManyGrants,
            .identifierTaken, .saleState, .mixedCurrencies, .amountTooLarge, .tooManySeats,
            .tooManyAPIKeys, .moduleInUse, .chapterInUse, .subscriptionExists,
            .subscriptionClosed:
            409
        case .customURLDisabled, .customURLReleased, .invitationExpired, .verificationExpired:
            410
        case .versionMismatch: 412
        case .validation, .pageTokenInvalid, .pageSizeInvalid, .depthExceeded, .cycle,
            .slugInvalid, .slugReserved, .publicEmailDomain, .dateInPast, .trialNeedsDate,
            .distributorDiscountRequired, .outsideRegion, .idempotencyMismatch,
            .paymentMismatch:
            422
        case .busy: 429
        case .unavailable, .notAcknowledged: 503
        case .outcomeUnknown, .internal: 500
        }
    }

    /// The status code of an RPC answer.
    public var code: Status.Code {
        switch self {
        case .nameTaken, .emailTaken, .alreadyMember, .emailMaskTaken, .slugTaken,
            .identifierTaken, .subscriptionExists:
            .alreadyExists
        // What is not acknowledged has had its wait: `UNAVAILABLE` would have every client on the
        // way wait again, and count the service among those that are down.
        case .orgMoving, .commandCancelled, .notAcknowledged: .aborted
        case .idempotencyMismatch, .paymentMismatch: .failedPrecondition
        case .outcomeUnknown: .unknown
        case .busy: .resourceExhausted
        case .unavailable: .unavailable
        case .internal: .internal
        default:
            switch httpStatus {
            case 400, 422: .invalidArgument
            case 401: .unauthenticated
            case 403: .permissionDenied
            case 404: .notFound
            default: .failedPrecondition
            }
        }
    }

    /// The HTTP status of any RPC status: that of its reason, else that of its code.
    public static func httpStatus(of status: Status) -> Int {
        if let known = status.reason.flatMap(ErrorReason.init(rawValue:)) {
            return known.httpStatus
        }
        return switch status.code {
        case .ok: 200
        case .cancelled: 499
        case .invalidArgument, .outOfRange: 400
        case .deadlineExceeded: 504
        case .notFound: 404
        case .alreadyExists, .aborted, .failedPrecondition: 409
        case .permissionDenied: 403
        case .resourceExhausted: 429
        case .unimplemented: 501
        case .unavailable: 503
        case .unauthenticated: 401
        case .unknown, .internal, .dataLoss: 500
        }
    }
}
