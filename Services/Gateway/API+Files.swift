import Messages
import RPC
import ServiceKit
import SwiftProtobuf
import Synchronization

// Files in requests and answers: parts of them travel as messages of a stream.

/// An upload, before its file is read.
struct UploadCall: Sendable {
    let match: RouteTable.Match
    let query: Query
    let metadata: Metadata
}

extension API {
    /// The bytes of a file in one message.
    private static let partBytesMax = 48 * 1_024

    /// Sends the body of a request on in parts.
    func upload(
        _ request: Incoming, _ call: UploadCall, to upstream: Backend
    ) async throws -> Answer {
        let limits = transcoder.limits
        let body = try await request.body(limits.fileBytesMax)
        let route = call.match.route
        let first = try transcoder.request(call.match, query: call.query, body: [])
        let options = CallOptions(timeout: limits.fileTimeout, metadata: call.metadata)
        let reply: [UInt8]
        do {
            reply = try await upstreams[upstream].bidirectional(route.method, options: options) {
                requests, replies in
                try await requests.write(.encoded(first.message))
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
            throw Problem(
                Status(thrown: error), from: upstream, bodyField: route.content.field)
        }
        var answer = try self.answer(request, route, reply: reply)
        answer.status = 202
        return answer
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
        let file = Mutex(FilePart())
        do {
            try await upstreams[upstream].serverStreaming(
                route.method, .encoded(call.message), options: options
            ) { reply in
                let part = try FilePart(decoding: reply.bytes, limits: .bulk)
                try turn.hold(part.data.count)
                try file.withLock { file in
                    if file.name.isEmpty {
                        (file.name, file.contentType) = (part.name, part.contentType)
                    }
                    guard file.data.count + part.data.count <= limits.fileBytesAnsweredMax else {
                        throw Problem.fileTooLarge(limits.fileBytesAnsweredMax)
                    }
                    file.data += part.data
                }
            }
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem(Status(thrown: error), from: upstream)
        }
        var answer = Answer(file: file.withLock { $0 })
        answer.turn = turn
        return answer
    }
}

extension Answer {
    /// The types of files that are handed out; another one is a defect of a service.
    private static let fileTypes: Set<String> = [
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "text/csv; charset=utf-8",
    ]

    /// A file to be saved, never to be shown.
    fileprivate init(file: FilePart) {
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
            ], body: file.data)
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
