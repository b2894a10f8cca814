public import RPC

/// What a client's observer is told; it is called on the client's threads and must not block.
public enum RPCClientEvent: Sendable {
    /// One attempt of one call.
    public struct Attempt: Sendable {
        /// The method called.
        public let method: MethodDescriptor
        /// Which attempt of its call it is, from 1.
        public let number: Int
        /// The server it was sent to.
        public let address: RPCAddress
    }

    /// The bytes of the frames that carry an attempt's messages and its end, without their lengths
    /// and as they are before compression.
    public struct Bytes: Sendable, Hashable {
        /// Those that went out; as many as were packed, whether or not the server took them.
        public internal(set) var sent = 0
        /// Those that came in.
        public internal(set) var received = 0
    }

    /// An attempt was sent, this long after it was made.
    case sent(Attempt, waited: Duration)
    /// An attempt that was sent has ended, this long after it was made.
    case ended(Attempt, Status.Code, bytes: Bytes, spent: Duration)
    /// A call has failed and will be tried again after a pause.
    case retrying(MethodDescriptor, number: Int, after: Status, pause: Duration)
    /// A call is not answered in time: a second attempt goes to another server.
    case hedging(MethodDescriptor, number: Int)
    /// An address is in another state, as one thread of the client sees it.
    case address(RPCAddress, RPCAddressState)
    /// The target was resolved, or could not be.
    case resolved(Resolution)
}

/// What a client does with an address.
public enum RPCAddressState: Sendable, Hashable {
    /// No connection is wanted.
    case idle
    /// A connection is on its way.
    case connecting
    /// An attempt to connect has failed; another follows a pause.
    case pausing
    /// It takes calls.
    case ready
    /// It has failed too often: it takes no calls for a while.
    case ejected
    /// One call finds out whether it is well again.
    case probing
    /// It is no longer one of the target's, or the client is closed.
    case closed
}
