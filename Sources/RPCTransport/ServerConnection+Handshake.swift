import NIOCore
import RPC

extension ServerConnection {
    /// Where the preface names the version.
    private static let versionPosition = 6

    /// Whether the preface has arrived.
    func takePreface(_ context: ChannelHandlerContext) throws(FrameAssembler.Fault) -> Bool {
        guard phase == .awaitingPreface else { return true }
        let expected = Frame.preface
        let arrived = assembler.prefix(expected.count)
        guard let isHTTP = Self.isHTTP(arrived) else { return false }
        if isHTTP {
            beginHTTP(context)
            if let all = assembler.takeAll(), !isClosed { passToHTTP(all, context) }
            return false
        }
        let isName = zip(arrived.readableBytesView, expected).enumerated().allSatisfy {
            $0.offset == Self.versionPosition || $0.element.0 == $0.element.1
        }
        guard isName else {
            fail(Status(.invalidArgument, "The connection does not begin with the preface."))
            return false
        }
        guard arrived.readableBytes == expected.count else { return false }
        guard arrived.readableBytesView.elementsEqual(expected) else {
            fail(Status(.unimplemented, "This server speaks version 1 of the protocol."))
            return false
        }
        _ = assembler.take(expected.count)
        phase = .awaitingSettings
        send(.settings(core.settings))
        return true
    }

    /// Keeps to what the peer accepts.
    func apply(_ settings: Frame.Settings) {
        let announced = Int(settings.frameBytesMax)
        outbox.peerFrameBytesMax =
            announced == 0 ? Frame.byteCountDefault : min(announced, Frame.byteCountHardMax)
        outbox.deflatesAbove = core.configuration.compression.threshold(for: settings)
        if settings.window != 0 { windowOfPeer = settings.window }
    }
}
