import Encodings
import Messages
import RPC
import ServiceKit
import SwiftProtobuf
import Synchronization

// Files in requests and answers: parts of them travel as messages of a stream.

/// An upload, before its file is read.
struct UploadCall: Sendable {
    let route: Route
    let metadata: Metadata
    /// The first message, encoded: all but the file.
    let first: [UInt8]
    /// The organization at which a refusal is explained, if the request names it.
    let explanationPlace: String?
}

extension API {
    /// The bytes of a file in one message.
    private static let partBytesMax = 48 * 1_024

    /// Asks a service whether it would take a file.
    func requireRight(to call: UploadCall, at upstream: Backend) async throws(Problem) {
        guard let check = call.route.check else { return }
        let options = CallOptions(
            timeout: transcoder.limits.callTimeout, metadata: call.metadata)
        do {
            // The request of the check has the same fields.
            _ = try await upstreams[upstream].unary(check, .encoded(call.first), options: options)
        } catch {
            throw Problem(
                thrown: error, by: call.route, at: call.explanationPlace, from: upstream)
        }
    }

    /// Sends the body of a request on in parts.
    func upload(
        _ request: Incoming, _ call: UploadCall, to upstream: Backend
    ) async throws -> Answer {
        let limits = transcoder.limits
        let body = try await request.body(limits.fileBytesMax)
        let route = call.route
        let options = CallOptions(timeout: limits.fileTimeout, metadata: call.metadata)
        let reply: [UInt8]
        do {
            reply = try await upstreams[upstream].bidirectional(route.method, options: options) {
                requests, replies in
                try await requests.write(.encoded(call.first))
                var rest = body[...]
                while !rest.isEmpty {
                    let part = Array(rest.prefix(Self.partBytesMax))
                    rest = rest.dropFirst(Self.partBytesMax)
                    try await requests.write(.encoded(transcoder.part(part, of: route)))
                }
                try await requests.finish()
                guard let reply = try await replies.next() else { return [UInt8]() }
                let bytes = reply.bytes
                while try await replies.next() != nil {}
                return bytes
            }
        } catch {
            throw Problem(thrown: error, by: route, at: call.explanationPlace, from: upstream)
        }
        return try self.answer(request, route, reply: reply)
    }

    /// Puts the parts of a file together.
    ///
    /// The whole file is here before the answer begins: an answer that
    /// ended early would look like a file.
    func download(
        _ route: Route, _ call: TranscodedRequest, _ metadata: Metadata, _ upstream: Backend,
        in turn: FileTurn
    ) async throws -> Answer {
        let limits = transcoder.limits
        let options = CallOptions(timeout: limits.fileTimeout, metadata: metadata)
        let file = Mutex(FileAnswered())
        do {
            try await upstreams[upstream].serverStreaming(
                route.method, .encoded(call.message), options: options
            ) { reply in
                let part = try FilePart(decoding: reply.bytes, limits: .bulk)
                let count = file.withLock { file in
                    file.add(part)
                    return file.byteCount
                }
                guard count <= limits.fileBytesAnsweredMax else {
                    throw Problem.fileTooLarge(limits.fileBytesAnsweredMax)
                }
                try turn.makeRoom(for: count, upTo: limits.fileBytesAnsweredMax)
            }
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem(thrown: error, by: route, at: call.explanationPlace, from: upstream)
        }
        let whole = file.withLock { $0 }
        turn.settle(at: whole.byteCount)
        var answer = Answer(file: whole)
        answer.turn = turn
        return answer
    }
}

/// A file that is answered, in the parts in which it came: put together it would be in memory
/// twice.
private struct FileAnswered {
    var name = ""
    var contentType = ""
    var parts: [[UInt8]] = []
    var byteCount = 0

    mutating func add(_ part: FilePart) {
        if name.isEmpty { (name, contentType) = (part.name, part.contentType) }
        parts.append(part.data)
        byteCount += part.data.count
    }
}

extension Answer {
    /// The types of files that are handed out; another one is a defect of a service.
    private static let fileTypes: Set<String> = [
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "text/csv; charset=utf-8",
    ]

    /// A file to be saved, never to be shown.
    fileprivate init(file: FileAnswered) {
        let isKnown = Self.fileTypes.contains(file.contentType)
        let isPlain = file.name.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
                || byte == 0x2E
        }
        self.init(
            status: 200,
            fields: [
                "Content-Type": isKnown ? file.contentType : "application/octet-stream",
                "Content-Disposition":
                    "attachment; filename=\"\(isPlain ? file.name : "file")\"",
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "Cache-Control": "no-store",
            ])
        parts = file.parts
    }
}

extension Transcoder {
    /// The message that carries a part of a file.
    fileprivate func part(_ bytes: [UInt8], of route: Route) throws -> [UInt8] {
        try part(bytes, of: route, as: route.request)
    }

    private func part<Request: SwiftProtobuf.Message>(
        _ bytes: [UInt8], of route: Route, as type: Request.Type
    ) throws -> [UInt8] {
        let document = JSONValue.object([
            .init(name: route.content.field ?? "", value: .string(Base64.encode(bytes)))
        ])
        return try Request(jsonUTF8Bytes: document.encoded).serializedBytes()
    }
}
