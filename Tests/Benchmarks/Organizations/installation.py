"""A running installation as a benchmark sees it: its calls, its memory and its processor time."""
import argparse
import http.client
import json
import pathlib
import threading
import time
import urllib.parse
import uuid

from guildhall.access.v1 import principal_pb2
from guildhall.rpc.v1 import frame_pb2
from guildhall_client import Client, signed_principal

# How long a principal is used that was signed once; it is valid a little longer.
SIGNED_FOR_SECONDS = 40
POLL_SECONDS = 0.02
SAMPLE_SECONDS = 0.01
# Quiet is who uses less than this share of a processor for so long: by then what begins by itself a
# little after a change has begun.
QUIET_SHARE = 0.05
QUIET_SECONDS = 8
MEBIBYTE = 1024 * 1024
USER = "01890a5d-ac96-774b-bcce-b302099a8057"


def installations():
    """Those that the script has started, in the order of their folders."""
    parser = argparse.ArgumentParser()
    for name in ("email", "password", "results"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("folders", nargs="+")
    arguments = parser.parse_args()
    return [Installation(folder, arguments) for folder in arguments.folders]


class Installation:
    def __init__(self, folder, arguments):
        self.arguments = arguments
        self.folder = pathlib.Path(folder)
        self.pids, self.addresses = {}, {}
        for line in (self.folder / "log").read_text().splitlines():
            words = line.split()
            if line.startswith("started ") and len(words) == 5:
                self.pids[words[1]], self.addresses[words[1]] = int(words[3]), words[4]
            if line.startswith("guildhall ready "):
                self.url = urllib.parse.urlsplit(words[-1])
        self.token = None
        credentials = {"email": self.arguments.email, "password": self.arguments.password}
        self.token = self.json("POST", "/v1/sessions", json.dumps(credentials))["token"]

    # MARK: Calls

    def http(self, verb, path, body=None, kind="application/json"):
        """A call through the gateway; answers the body."""
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=120)
        headers = {"Content-Type": kind} if body is not None else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if verb == "POST":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        connection.request(verb, path, body, headers)
        reply = connection.getresponse()
        data = reply.read()
        connection.close()
        assert reply.status < 300, f"{verb} {path}: {reply.status} {data[:500]}"
        return data

    def json(self, verb, path, body=None, kind="application/json"):
        return json.loads(self.http(verb, path, body, kind))

    def caller(self, part):
        return Caller(self, part)

    # MARK: Imports

    def ended(self, run, end):
        """Waits until a step of an import is over; answers the import."""
        while True:
            found = self.json("GET", f"/v1/imports/{run}")
            if found["state"] == end:
                return found
            assert found["state"] in ("IMPORT_STATE_PLANNING", "IMPORT_STATE_APPLYING"), found
            time.sleep(POLL_SECONDS)

    def plan(self, file):
        run = self.json("POST", "/v1/imports", file, "application/octet-stream")["id"]
        return self.ended(run, "IMPORT_STATE_PLANNED")

    def apply(self, run):
        self.json("POST", f"/v1/imports/{run}:apply", "{}")
        return self.ended(run, "IMPORT_STATE_APPLIED")

    # MARK: What it costs

    def private_bytes(self, pid):
        """Memory that no other process shares; 0 of a process that has ended."""
        try:
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) * 1024
        except OSError:
            pass
        return 0

    def children(self, pid):
        found = []
        for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:
                pass
        return found

    def processor_seconds(self, part):
        """The time that all threads of a part have run."""
        tasks = pathlib.Path(f"/proc/{self.pids[part]}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def settle(self):
        """Waits until every part has nothing left to do, such as following the feed."""
        start = quiet_since = time.monotonic()
        before = None
        while time.monotonic() - quiet_since < QUIET_SECONDS:
            now = sum(map(self.processor_seconds, self.pids))
            if before is None or now - before >= QUIET_SHARE:
                quiet_since = time.monotonic()
            before = now
            time.sleep(1)
        return quiet_since - start

    # MARK: Results

    def record(self, part, subject, **numbers):
        line = json.dumps({"part": part, "subject": subject, **numbers})
        with open(self.arguments.results, "a", encoding="utf-8") as results:
            results.write(line + "\n")
        print(f"  {subject}: {numbers}", flush=True)


class Memory:
    """The highest private memory of Organizations and its child processes while it is watched."""

    def __init__(self, installation):
        self.installation = installation
        self.pid = installation.pids["organizations"]
        self.idle = installation.private_bytes(self.pid)
        self.service = self.child = self.both = 0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.is_over.wait(SAMPLE_SECONDS):
            service = self.installation.private_bytes(self.pid) - self.idle
            child = sum(map(self.installation.private_bytes, self.installation.children(self.pid)))
            self.service = max(self.service, service)
            self.child = max(self.child, child)
            self.both = max(self.both, service + child)

    def __enter__(self):
        self.started = time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self.started
        self.is_over.set()
        self.thread.join()

    @property
    def numbers(self):
        return {
            "seconds": round(self.seconds, 2),
            "service_mib": round(self.service / MEBIBYTE, 1),
            "child_mib": round(self.child / MEBIBYTE, 1),
            "both_mib": round(self.both / MEBIBYTE, 1),
        }


class Caller:
    """Calls a service itself, as the platform's owner; the gateway has no part in it."""

    def __init__(self, installation, part):
        self.part = part
        self.data = str(installation.folder / "data")
        self.client = Client(installation.addresses[part])
        # Methods are then called by their path, which is not looked for in a list.
        self.client.settings = frame_pb2.Settings()
        self.signed_at = None

    def call(self, path, request, reply_type, timeout=30.0, **metadata):
        if self.signed_at is None or time.monotonic() - self.signed_at > SIGNED_FOR_SECONDS:
            self.signed_at = time.monotonic()
            self.principal = signed_principal(
                self.data, "operator", self.part, user_id=USER,
                grants=[principal_pb2.Grant(role=principal_pb2.ROLE_PLATFORM_OWNER)])
        return self.client.call(path, request, reply_type, self.principal | metadata, timeout)

    def change(self, path, request, reply_type):
        return self.call(path, request, reply_type, **{"idempotency-key": str(uuid.uuid4())})
