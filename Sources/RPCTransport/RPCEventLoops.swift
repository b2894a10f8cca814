import NIOCore
import NIOPosix
import Synchronization

/// The threads on which connections are served and calls are made.
///
/// A server and the clients that its handlers use should share one: a call made on behalf of a
/// call then stays on its thread.
public final class RPCEventLoops: Sendable {
    /// More threads than this bring nothing to services that also run storage threads.
    public static let threadCountDefaultMax = 2

    let group: MultiThreadedEventLoopGroup
    let loops: [LoopContext]
    private let position = Atomic<Int>(0)

    /// Starts the threads.
    ///
    /// - Parameter threadCount: How many; nil is one per core, at most
    ///   ``threadCountDefaultMax``.
    public init(threadCount: Int? = nil) {
        let count = threadCount ?? min(System.coreCount, Self.threadCountDefaultMax)
        group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, count))
        loops = group.makeIterator().map { LoopContext($0) }
    }

    /// Runs tasks on these threads: a caller that prefers one of these executors makes calls
    /// without a change of thread.
    public var taskExecutors: [any TaskExecutor] {
        loops.map(\.executor)
    }

    /// Stops the threads once nothing uses them any more.
    public func shutDown() async {
        // Fails only when it was shut down before, which is what is wanted.
        try? await group.shutdownGracefully()
    }

    func context(of loop: any EventLoop) -> LoopContext {
        for context in loops where context.loop === loop { return context }
        preconditionFailure("the channel was made on this group")
    }

    /// The loop of the calling thread, or else the next in turn.
    func current() -> LoopContext {
        for context in loops where context.loop.inEventLoop { return context }
        return next()
    }

    func next() -> LoopContext {
        let turn = position.wrappingAdd(1, ordering: .relaxed).oldValue
        return loops[Int(UInt(bitPattern: turn) % UInt(loops.count))]
    }
}

/// One thread with what its connections share.
final class LoopContext: Sendable {
    let loop: any EventLoop
    let executor: LoopExecutor
    private let buffers: NIOLoopBoundBox<[ByteBuffer]>
    let compressors: NIOLoopBoundBox<Compressors>

    /// So many outgoing buffers are kept for reuse on a thread.
    private static let buffersMax = 8
    /// Larger outgoing buffers are given back at once.
    private static let bufferBytesMax = 128 * 1_024
    private static let bufferBytes = 4 * 1_024

    init(_ loop: any EventLoop) {
        self.loop = loop
        executor = LoopExecutor(loop)
        buffers = .makeBoxSendingValue([], eventLoop: loop)
        compressors = .makeBoxSendingValue(Compressors(), eventLoop: loop)
    }

    /// An empty buffer for outgoing frames.
    func takeBuffer() -> ByteBuffer {
        buffers.value.popLast() ?? ByteBufferAllocator().buffer(capacity: Self.bufferBytes)
    }

    /// Takes a buffer back once it was written to the socket.
    func giveBack(_ buffer: consuming ByteBuffer) {
        guard buffer.capacity <= Self.bufferBytesMax, buffers.value.count < Self.buffersMax else {
            return
        }
        buffer.clear()
        buffers.value.append(buffer)
    }

    /// Runs a closure on the thread: at once when it is the calling one.
    func run(_ body: @escaping @Sendable () -> Void) {
        if loop.inEventLoop { body() } else { loop.execute(body) }
    }
}
