import FuzzKit
import Messages
import RPC
import TestMessages

/// The first byte chooses the message, the second the limits; the rest is its encoding.
func test(_ input: Input) {
    var input = input
    let check = checks[Int(input.byte()) % checks.count]
    let limits = limitsToChoose[Int(input.byte()) % limitsToChoose.count]
    check(input.bytes, limits)
}

private typealias Check = @Sendable ([UInt8], DecodingLimits) -> Void

/// Made by `make-seeds` in this order, too.
private let checks: [Check] = [
    check(Everything.self), check(Everything.self), check(Messages.Frame.self),
    check(Organization.self), check(ListOrganizationsReply.self),
    check(UpdateOrganizationRequest.self), check(Member.self), check(Appearance.self),
    check(EffectiveAppearance.self), check(FeedEvent.self), check(SignedPrincipal.self),
    check(Principal.self),
]

private let limitsToChoose: [DecodingLimits] = [
    .standard, .bulk,
    DecodingLimits(fieldsMax: 64, depthMax: 2, unknownFieldsMax: 1, arenaBytesMax: 2_048),
]

private func check<Value: Message>(_ type: Value.Type) -> Check {
    { bytes, limits in
        let decoded: Value
        do throws(DecodingFault) {
            decoded = try bounded { () throws(DecodingFault) in
                try Value(decoding: bytes, limits: limits)
            }
        } catch {
            expect(!error.description.isEmpty, "a fault without a sentence")
            return
        }
        let encoded = decoded.encoded()
        expect(
            encoded.count <= decoded.encodedByteCountMax,
            "\(encoded.count) bytes exceed \(decoded.encodedByteCountMax)")
        do throws(DecodingFault) {
            // What is encoded names defaults that were not on the wire: fields may be more.
            let again = try Value(decoding: encoded, limits: .bulk)
            // By bytes: a number that is none differs from itself.
            expectEqual(again.encoded(), encoded, "decoded again")
        } catch {
            expect(false, "what was decoded does not decode again: \(error)")
        }
    }
}
