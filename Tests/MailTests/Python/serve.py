"""An SMTP server for tests: notes what it is told, and answers as a test wants.

usage: serve.py FOLDER MODE

MODE is plain, clear-auth (signs people in without encryption), starttls (wants encryption and
ada:secret) or tls (encrypted from the start). It prints `listening PORT`, and serves until whoever
started it has ended.

FOLDER/answers.json is a list that a test may write: each entry is used once, by the first event
that it names: {"at": "connect" | "sender" | "receiver" | "content", "say": "450 later",
"sleep": 1.5}. FOLDER/events.jsonl has a line for each event.
"""

import asyncio
import datetime
import ipaddress
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

folder, mode = sys.argv[1], sys.argv[2]
answers = os.path.join(folder, "answers.json")


def note(**event):
    with open(os.path.join(folder, "events.jsonl"), "a") as file:
        file.write(json.dumps(event) + "\n")


async def answer(event):
    """What a test wants to be said now; None for the usual."""
    try:
        with open(answers) as file:
            left = json.load(file)
    except FileNotFoundError:
        return None
    for position, entry in enumerate(left):
        if entry["at"] == event:
            del left[position]
            with open(answers + ".part", "w") as file:
                json.dump(left, file)
            os.replace(answers + ".part", answers)
            await asyncio.sleep(entry.get("sleep", 0))
            return entry.get("say")
    return None


class Handler:
    async def handle_MAIL(self, server, session, envelope, address, options):
        said = await answer("sender")
        note(event="sender", address=address)
        if said and not said.startswith("2"):
            return said
        envelope.mail_from = address
        return said or "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        said = await answer("receiver")
        note(event="receiver", address=address)
        if said:
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        note(
            event="content",
            sender=envelope.mail_from,
            receivers=envelope.rcpt_tos,
            encrypted=session.ssl is not None or mode == "tls",
            user=session.auth_data if isinstance(session.auth_data, str) else None,
            bytes=envelope.original_content.decode("latin-1"),
        )
        return await answer("content") or "250 taken"


class Server(SMTP):
    async def _handle_client(self):
        note(event="connect")
        said = await answer("connect")
        if said:
            await self.push(said)
            self.transport.close()
            return
        await super()._handle_client()


def authenticate(server, session, envelope, mechanism, data):
    login = data.login.decode()
    note(event="sign-in", user=login, encrypted=session.ssl is not None or mode == "tls")
    isKnown = (login, data.password) == ("ada", b"secret:%")
    return AuthResult(success=isKnown, auth_data=login if isKnown else None)


def certificate():
    """A key with a certificate that vouches for itself, in FOLDER/ca.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    public, private = os.path.join(folder, "ca.pem"), os.path.join(folder, "key.pem")
    with open(public, "wb") as file:
        file.write(made.public_bytes(serialization.Encoding.PEM))
    with open(private, "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    return context


async def main():
    context = certificate() if mode in ("starttls", "tls") else None
    settings = {"hostname": "127.0.0.1"}
    if mode == "clear-auth":
        settings |= {"authenticator": authenticate, "auth_require_tls": False}
    if mode == "starttls":
        settings |= {
            "authenticator": authenticate,
            "auth_required": True,
            "tls_context": context,
            "require_starttls": True,
        }
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Server(Handler(), loop=loop, **settings),
        host="127.0.0.1",
        port=int(sys.argv[3]) if len(sys.argv) > 3 else 0,
        ssl=context if mode == "tls" else None,
    )
    print("listening", server.sockets[0].getsockname()[1], flush=True)
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(0.2)


asyncio.run(main())
