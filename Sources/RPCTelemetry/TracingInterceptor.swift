public import RPC
public import Tracing

/// Makes each call of a server or of a client a span of a trace.
///
/// A server takes the trace from the metadata of the call, as its tracer writes it there: those of
/// OpenTelemetry use `traceparent` and `tracestate` of the W3C. The handler runs with the span as
/// the task's current one, so that spans and calls that it makes are below it. A client writes its
/// own span there, which is below the task's current span, or else below the one that the metadata
/// already names: a process that hands on `traceparent` by itself stays in the trace.
///
/// Spans are named after the method and carry `rpc.system.name`, `rpc.method`,
/// `rpc.response.status_code` and, when the call failed, `error.type`. To a client every code but
/// `OK` is a failure, to a server those for which it is to blame.
public struct TracingInterceptor: Sendable {
    private let tracer: any Tracer

    /// An interceptor that reports to a tracer: by default the one that the process, or this task,
    /// has set up before.
    public init(tracer: any Tracer = InstrumentationSystem.tracer) {
        self.tracer = tracer
    }

    /// An interceptor that reports to the tracer of the process; nil when there is none, so that
    /// calls do not pay for nothing.
    public static var ifBootstrapped: TracingInterceptor? {
        let tracer = InstrumentationSystem.tracer
        return tracer is NoOpTracer ? nil : TracingInterceptor(tracer: tracer)
    }
}

extension TracingInterceptor: ServerInterceptor {
    /// The method, each of whose calls is a span.
    public func intercept(_ method: RegisteredMethod) -> RegisteredMethod {
        method.surrounded(by: ServerSpans(tracer: tracer))
    }
}

extension TracingInterceptor: ClientInterceptor {
    /// Begins the span of a call and writes it to the call's metadata.
    public func begin(_ method: MethodDescriptor, _ options: inout CallOptions) -> any Span {
        var parent = InstrumentationContext.current ?? .topLevel
        if InstrumentationContext.current == nil {
            tracer.extract(options.metadata, into: &parent, using: MetadataCarrier())
        }
        let span = tracer.startSpan(method, in: parent, .client)
        tracer.inject(span.context, into: &options.metadata, using: MetadataCarrier())
        return span
    }

    /// Ends the span of a call.
    public func end(_ span: any Span, _ method: MethodDescriptor, _ error: (any Error)?) {
        let code = Status.Code(ofClient: error)
        span.end(code, error, isFailure: code != .ok)
    }
}

/// Runs handlers with the span of their call as the current one.
private struct ServerSpans: HandlerSurroundings {
    let tracer: any Tracer

    func run<Result>(
        _ context: CallContext, _ handler: (CallContext) async throws -> Result
    ) async throws -> Result {
        let span = begin(context)
        do {
            let result = try await InstrumentationContext.$current.withValue(span.context) {
                try await handler(context)
            }
            end(span, context, nil)
            return result
        } catch {
            end(span, context, error)
            throw error
        }
    }

    func runNow<Result>(
        _ context: CallContext, _ handler: (CallContext) throws -> Result
    ) throws -> Result {
        let span = begin(context)
        do {
            let result = try InstrumentationContext.$current.withValue(span.context) {
                try handler(context)
            }
            end(span, context, nil)
            return result
        } catch {
            end(span, context, error)
            throw error
        }
    }

    private func begin(_ context: CallContext) -> any Span {
        // What is current here belongs to whoever started the server, not to the caller.
        var parent = InstrumentationContext.topLevel
        tracer.extract(context.metadata, into: &parent, using: MetadataCarrier())
        return tracer.startSpan(context.method, in: parent, .server)
    }

    private func end(_ span: any Span, _ context: CallContext, _ error: (any Error)?) {
        let code = Status.Code(ofServer: error, context)
        span.end(code, error, isFailure: code.isServerFault)
    }
}

extension Tracer {
    fileprivate func startSpan(
        _ method: MethodDescriptor, in parent: InstrumentationContext, _ kind: SpanKind
    ) -> any Tracing.Span {
        let span = startSpan(method.path, context: parent, ofKind: kind)
        guard span.isRecording else { return span }
        span.attributes[Conventions.system] = Conventions.systemName
        span.attributes[Conventions.method] = method.path
        return span
    }
}

extension Span {
    fileprivate func end(_ code: Status.Code, _ error: (any Error)?, isFailure: Bool) {
        defer { end() }
        guard isRecording else { return }
        attributes[Conventions.statusCode] = code.conventionalName
        guard isFailure else { return }
        attributes[Conventions.errorType] = code.conventionalName
        // Of other errors the text may hold secrets; it belongs in the log alone.
        setStatus(SpanStatus(code: .error, message: (error as? Status)?.message))
    }
}

/// Reads and writes what a tracer keeps in metadata.
private struct MetadataCarrier: Extractor, Injector {
    func extract(key: String, from metadata: Metadata) -> String? {
        metadata[text: key.lowercased()]
    }

    func inject(_ value: String, forKey key: String, into metadata: inout Metadata) {
        metadata[text: key.lowercased()] = value
    }
}
