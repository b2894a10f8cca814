"""A client for Guildhall's wire protocol, written from Protos/README.md alone."""

import socket
import struct
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.rpc import error_details_pb2
from guildhall.access.v1 import principal_pb2
from guildhall.rpc.v1 import frame_pb2

PREFACE = b"GHRPC/1\n"
TYPE_PREFIX = "type.googleapis.com/"
STANDARD_DETAILS = {
    TYPE_PREFIX + message.DESCRIPTOR.full_name: message
    for message in (
        error_details_pb2.ErrorInfo,
        error_details_pb2.BadRequest,
        error_details_pb2.PreconditionFailure,
        error_details_pb2.RetryInfo,
    )
}


def values(entries):
    """Metadata by key."""
    return {
        entry.key: entry.binary if entry.key.endswith("-bin") else entry.text for entry in entries
    }


class Refused(Exception):
    """A call that did not succeed."""

    def __init__(self, end):
        super().__init__(f"{end.code}: {end.message}")
        self.code = end.code
        self.message = end.message
        self.trailing_metadata = values(end.metadata)
        self.details = [
            STANDARD_DETAILS[detail.type_url].FromString(detail.value)
            for detail in end.details
            if detail.type_url in STANDARD_DETAILS
        ]

    @property
    def reason(self):
        for detail in self.details:
            if isinstance(detail, error_details_pb2.ErrorInfo):
                return detail.reason
        return None


class GoneAway(Exception):
    """The server ended the connection and said why."""


class Client:
    """One connection; one call at a time."""

    def __init__(self, address, timeout=10.0):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        self.socket.sendall(PREFACE)
        self.send(frame_pb2.Frame(settings=frame_pb2.Settings(agent="python", window=4096)))
        self.settings = self.receive().settings
        self.last_call = -1
        self.trailing_metadata = {}

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, frame):
        body = frame.SerializeToString()
        self.socket.sendall(struct.pack(">I", len(body)) + body)

    def send_raw(self, data):
        self.socket.sendall(data)

    def read(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise ConnectionError("the server closed the connection")
            data += more
        return data

    def receive(self):
        (length,) = struct.unpack(">I", self.read(4))
        return frame_pb2.Frame.FromString(self.read(length))

    def open(self, path, request, metadata, timeout):
        self.last_call += 2
        entries = []
        for key, value in (metadata or {}).items():
            if key.endswith("-bin"):
                entries.append(frame_pb2.MetadataEntry(key=key, binary=value))
            else:
                entries.append(frame_pb2.MetadataEntry(key=key, text=value))
        opening = frame_pb2.Open(
            metadata=entries,
            message=request.SerializeToString(),
            end_of_stream=True,
            timeout_us=int(timeout * 1_000_000),
        )
        numbers = {method.path: method.number for method in self.settings.methods}
        if path in numbers:
            opening.number = numbers[path]
        else:
            opening.path = path
        self.send(frame_pb2.Frame(call=self.last_call, open=opening))
        return self.last_call

    def frames(self, call):
        """The frames of a call; pings are answered on the way."""
        while True:
            frame = self.receive()
            kind = frame.WhichOneof("kind")
            if kind == "ping":
                self.send(frame_pb2.Frame(pong=frame_pb2.Pong(number=frame.ping.number)))
            elif kind == "goaway" and not 0 < call <= frame.goaway.last_call:
                raise GoneAway(f"{frame.goaway.code}: {frame.goaway.message}")
            elif frame.call == call:
                yield frame, kind

    def call(self, path, request, reply_type, metadata=None, timeout=5.0):
        """A unary call."""
        for frame, kind in self.frames(self.open(path, request, metadata, timeout)):
            assert kind == "end", f"a unary call is answered by end, not {kind}"
            self.trailing_metadata = values(frame.end.metadata)
            if frame.end.code != 0:
                raise Refused(frame.end)
            return reply_type.FromString(frame.end.reply)

    def stream(self, path, request, reply_type, metadata=None):
        """A server-streaming call; credit is given back as replies are read."""
        call = self.open(path, request, metadata, timeout=0)
        for frame, kind in self.frames(call):
            if kind == "end":
                self.trailing_metadata = values(frame.end.metadata)
                if frame.end.code != 0:
                    raise Refused(frame.end)
                return
            yield reply_type.FromString(frame.data.message)
            window = frame_pb2.Window(bytes=frame.ByteSize())
            self.send(frame_pb2.Frame(call=call, window=window))

    def cancel(self):
        """Ends the last call from this side."""
        self.send(frame_pb2.Frame(call=self.last_call, cancel=frame_pb2.Cancel()))


def signed_principal(data, key_name, audience, *, user_id=None, service=None, grants=()):
    """The metadata by which a caller says who acts, signed with a key of the installation."""
    with open(f"{data}/keys/{key_name}.key") as file:
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(file.read().strip()))
    principal = principal_pb2.Principal(audience=audience, grants=grants)
    if user_id is not None:
        principal.user_id = user_id
    else:
        principal.service = service
    now = int(time.time())
    principal.issued_at.seconds = now
    principal.expires_at.seconds = now + 50
    body = principal.SerializeToString()
    signed = principal_pb2.SignedPrincipal(
        principal=body, key_name=key_name, signature=key.sign(body)
    )
    return {"guildhall-principal-bin": signed.SerializeToString()}
