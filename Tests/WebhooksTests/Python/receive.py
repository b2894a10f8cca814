"""A receiver of hooks for tests: notes what it is told, and answers as a test wants.

usage: receive.py FOLDER MODE [PORT]

MODE is plain or tls, with a certificate of its own in FOLDER/authority.pem. It prints
`listening PORT`, and serves until whoever started it has ended.

FOLDER/secrets has a line for each secret; a call is verified when one of them signed it.
FOLDER/answers.json is a list that a test may write; each entry is used once, by the first call to
its path: {"path": "/a", "status": 500, "sleep": 1.5, "bytes": 100000, "location": "…",
"retryAfter": "60"}; without a path by any call. FOLDER/calls.jsonl has a line for each call,
written before it is answered.
FOLDER/written is there once the whole of an answer with bytes was taken.
"""

import base64
import datetime
import hashlib
import hmac
import ipaddress
import json
import os
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

folder, mode = sys.argv[1], sys.argv[2]
port = int(sys.argv[3]) if len(sys.argv) > 3 else 0
lock = threading.Lock()
under_way = {}


def lines(name):
    try:
        with open(os.path.join(folder, name)) as file:
            return file.read().split()
    except FileNotFoundError:
        return []


def is_verified(headers, body):
    """What Standard Webhooks says of the signature, by Python's own hmac."""
    signed = b".".join(
        [headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    for secret in lines("secrets"):
        assert secret.startswith("whsec_")
        key = base64.b64decode(secret[len("whsec_"):], validate=True)
        code = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        if any(
            hmac.compare_digest(part, "v1," + code)
            for part in headers["webhook-signature"].split()
        ):
            return abs(time.time() - int(headers["webhook-timestamp"])) < 300 or "old"
    return False


def answer(path):
    """What a test wants to be said now."""
    name = os.path.join(folder, "answers.json")
    try:
        with open(name) as file:
            left = json.load(file)
    except FileNotFoundError:
        return {}
    for position, entry in enumerate(left):
        if entry.get("path", path) == path:
            if not entry.get("stays"):
                del left[position]
            with open(name + ".part", "w") as file:
                json.dump(left, file)
            os.replace(name + ".part", name)
            return entry
    return {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with lock:
            under_way[self.path] = under_way.get(self.path, 0) + 1
            wanted = answer(self.path)
            note = {
                "path": self.path, "headers": headers, "body": body.decode(),
                "verified": is_verified(headers, body) if "webhook-id" in headers else False,
                "atOnce": under_way[self.path], "atOnceInAll": sum(under_way.values()),
                "connection": self.client_address[1],
            }
            note["isVerified"] = note.pop("verified") in (True, "old")
            with open(os.path.join(folder, "calls.jsonl"), "a") as file:
                file.write(json.dumps(note) + "\n")
        time.sleep(wanted.get("sleep", 0))
        content = b"x" * wanted.get("bytes", 0)
        with lock:
            under_way[self.path] -= 1
        self.send_response(wanted.get("status", 200))
        if "location" in wanted:
            self.send_header("location", wanted["location"])
        if "retryAfter" in wanted:
            self.send_header("retry-after", wanted["retryAfter"])
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        try:
            self.wfile.write(content)
            if content:
                open(os.path.join(folder, "written"), "w").close()
        except OSError:
            self.close_connection = True

    def do_GET(self):
        with lock, open(os.path.join(folder, "calls.jsonl"), "a") as file:
            file.write(json.dumps(
                {"path": "GET " + self.path, "headers": {}, "body": "", "isVerified": False,
                 "atOnce": 0, "atOnceInAll": 0, "connection": 0}) + "\n")
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def certificate():
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "receiver")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = os.path.join(folder, "authority.pem")
    with open(path, "wb") as file:
        file.write(made.public_bytes(serialization.Encoding.PEM))
    with open(os.path.join(folder, "key.pem"), "wb") as file:
        file.write(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
    return path


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


server = Server(("127.0.0.1", port), Handler)
if mode == "tls":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(), os.path.join(folder, "key.pem"))
    server.socket = context.wrap_socket(server.socket, server_side=True)


def end_with_parent():
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(0)


threading.Thread(target=end_with_parent, daemon=True).start()
print("listening", server.server_address[1], flush=True)
server.serve_forever()
