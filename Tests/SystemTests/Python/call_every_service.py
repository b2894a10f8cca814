"""Calls every service of a running installation as a stranger would: from the page alone."""

import argparse
import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("--protos", required=True, type=pathlib.Path)
parser.add_argument("--data", required=True)
parser.add_argument("--email", required=True)
parser.add_argument("--password", required=True)
for name in ("gateway", "organizations", "membership", "partners", "branding"):
    parser.add_argument(f"--{name}", required=True)
arguments = parser.parse_args()

# The annotations of google.api lie beside the modules of googleapis-common-protos.
annotations = pathlib.Path(importlib.util.find_spec("google.api.http_pb2").origin).parents[2]
generated = tempfile.TemporaryDirectory()
subprocess.run(
    ["protoc", f"-I{arguments.protos}", f"-I{annotations}", f"--python_out={generated.name}"]
    + [
        str(path)
        for path in sorted(arguments.protos.glob("guildhall/**/*.proto"))
    ],
    check=True,
)
sys.path.insert(0, generated.name)

from google.rpc import error_details_pb2  # noqa: E402
from guildhall.access.v1 import principal_pb2  # noqa: E402
from guildhall.branding.v1 import branding_pb2  # noqa: E402
from guildhall.feed.v1 import feed_pb2  # noqa: E402
from guildhall.membership.v1 import membership_pb2  # noqa: E402
from guildhall.organizations.v1 import organizations_pb2  # noqa: E402
from guildhall.partners.v1 import partners_pb2  # noqa: E402
from guildhall.rpc.v1 import frame_pb2, health_pb2  # noqa: E402
from guildhall_client import Client, GoneAway, Refused, signed_principal  # noqa: E402

ADDRESSES = {
    name: getattr(arguments, name)
    for name in ("gateway", "organizations", "membership", "partners", "branding")
}


def refusal(body):
    """What a call was refused with; a call that succeeds fails the test."""
    try:
        body()
    except Refused as refused:
        return refused
    raise AssertionError("the call was not refused")


def the_listing_of_the_page_works():
    page = (arguments.protos / "README.md").read_text()
    listing = re.search(r"```python\n(.*?)```", page, re.DOTALL).group(1)
    names = {}
    exec(compile(listing, "Protos/README.md", "exec"), names)
    for address in ADDRESSES.values():
        host, port = address.rsplit(":", 1)
        reply = names["Client"](host, int(port)).call(
            "guildhall.rpc.v1.Health/Check",
            health_pb2.CheckHealthRequest(),
            health_pb2.CheckHealthReply,
        )
        assert reply.state == health_pb2.SERVING_STATE_SERVING, reply


def operator(audience):
    return signed_principal(
        arguments.data,
        "operator",
        audience,
        user_id="01890a5d-ac96-774b-bcce-b302099a8057",
        grants=[principal_pb2.Grant(role=principal_pb2.ROLE_PLATFORM_OWNER)],
    )


def organizations_answers():
    service = "guildhall.organizations.v1.Organizations"
    request = organizations_pb2.CreateOrganizationRequest(
        title="Made in Python ✓",
        category=organizations_pb2.ORGANIZATION_CATEGORY_BUSINESS_COMPANY,
        country="DE",
    )
    with Client(ADDRESSES["organizations"]) as client:
        caller = operator("organizations") | {"idempotency-key": "python-1"}
        path = f"{service}/CreateOrganization"
        made = client.call(path, request, organizations_pb2.Organization, caller)
        again = client.call(path, request, organizations_pb2.Organization, caller)
        assert made == again, "the same key finds the same reply"
        taken = refusal(
            lambda: client.call(
                path,
                request,
                organizations_pb2.Organization,
                operator("organizations") | {"idempotency-key": "python-2"},
            )
        )
        assert taken.reason == "name_taken", taken
        unkeyed = refusal(
            lambda: client.call(
                path, request, organizations_pb2.Organization, operator("organizations")
            )
        )
        assert unkeyed.code == 3 and unkeyed.reason == "idempotency_key_required", unkeyed
        stranger = refusal(lambda: client.call(path, request, organizations_pb2.Organization))
        assert stranger.code == 16 and stranger.reason == "unauthenticated", stranger
        unknown = refusal(lambda: client.call(f"{service}/Nothing", request, type(request)))
        assert unknown.code == 12, unknown
    return made.id


def the_feed_streams(organization):
    caller = signed_principal(arguments.data, "membership", "organizations", service="membership")
    with Client(ADDRESSES["organizations"]) as client:
        replies = client.stream(
            "guildhall.organizations.v1.Organizations/Watch",
            feed_pb2.WatchRequest(),
            feed_pb2.WatchReply,
            caller,
        )
        for reply in replies:
            for event in reply.events:
                node = organizations_pb2.OrganizationNode.FromString(event.body)
                if node.id == organization:
                    client.cancel()
                    return
    raise AssertionError("the feed ended")


def membership_answers(organization):
    service = "guildhall.membership.v1.Membership"
    with Client(ADDRESSES["membership"]) as client:
        caller = operator("membership")
        client.call(
            f"{service}/UpdateCaps",
            membership_pb2.UpdateCapsRequest(organization_id=organization, members=0),
            membership_pb2.Caps,
            caller | {"idempotency-key": "python-caps"},
        )
        refused = refusal(
            lambda: client.call(
                f"{service}/AddMember",
                membership_pb2.AddMemberRequest(
                    organization_id=organization, email="ada@example.org", name="Ada"
                ),
                membership_pb2.Member,
                caller | {"idempotency-key": "python-member"},
            )
        )
        assert refused.reason == "members_limit_reached", refused
        gates = [
            violation
            for detail in refused.details
            if isinstance(detail, error_details_pb2.PreconditionFailure)
            for violation in detail.violations
        ]
        assert [gate.subject for gate in gates] == [organization], gates


def partners_answers():
    with Client(ADDRESSES["partners"]) as client:
        made = client.call(
            "guildhall.partners.v1.Partners/CreateProduct",
            partners_pb2.CreateProductRequest(
                name="Seat sold in Python", unit_price_minor=100, currency="EUR"
            ),
            partners_pb2.Product,
            operator("partners") | {"idempotency-key": "python-product"},
        )
        assert made.seats_per_unit == 1, made


def branding_answers(organization):
    with Client(ADDRESSES["branding"]) as client:
        effective = client.call(
            "guildhall.branding.v1.Branding/GetEffectiveAppearance",
            branding_pb2.GetEffectiveAppearanceRequest(organization_id=organization),
            branding_pb2.EffectiveAppearance,
            operator("branding"),
        )
        assert effective.primary.source.organization_id == "", "the platform's own"


def the_gateway_routes(organization):
    with Client(ADDRESSES["gateway"]) as client:
        session = client.call(
            "guildhall.membership.v1.Membership/SignIn",
            membership_pb2.SignInRequest(email=arguments.email, password=arguments.password),
            membership_pb2.Session,
        )
        bearer = {"authorization": f"Bearer {session.token}"}
        found = client.call(
            "guildhall.organizations.v1.Organizations/GetOrganization",
            organizations_pb2.GetOrganizationRequest(id=organization),
            organizations_pb2.Organization,
            bearer | {"request-id": "python-found"},
        )
        assert found.title == "Made in Python ✓", found
        assert client.trailing_metadata["request-id"] == "python-found", client.trailing_metadata
        forged = refusal(
            lambda: client.call(
                "guildhall.organizations.v1.Organizations/GetOrganization",
                organizations_pb2.GetOrganizationRequest(id=organization),
                organizations_pb2.Organization,
                operator("organizations"),
            )
        )
        assert forged.code == 16, forged
        internal = refusal(
            lambda: client.call(
                "guildhall.membership.v1.Membership/GrantSeats",
                membership_pb2.GrantSeatsRequest(organization_id=organization, quantity=1),
                membership_pb2.Seats,
                bearer | {"idempotency-key": "python-grant"},
            )
        )
        assert internal.code == 7, internal
        assert len(internal.trailing_metadata["request-id"]) == 32, internal.trailing_metadata


def broken_frames_are_told():
    """Every malformed frame is answered with a goaway that says why, by every server."""
    broken = {
        "no bytes": b"\x00\x00\x00\x00",
        "too many bytes": b"\x7f\xff\xff\xff",
        "no frame": b"\x00\x00\x00\x02\xff\xff",
        "a frame of servers": frame_bytes(frame_pb2.Frame(call=1, end=frame_pb2.End())),
        "an even call": frame_bytes(
            frame_pb2.Frame(call=2, open=frame_pb2.Open(path="a/B", end_of_stream=True))
        ),
    }
    for address in ADDRESSES.values():
        for name, data in broken.items():
            with Client(address) as client:
                client.send_raw(data)
                told = farewell(client)
                assert len(told) > 10, f"{name}: {told}"


def frame_bytes(frame):
    body = frame.SerializeToString()
    return len(body).to_bytes(4, "big") + body


def farewell(client):
    """The sentence of the goaway; a connection that is closed without one fails the test."""
    try:
        for _ in client.frames(call=0):
            pass
    except GoneAway as told:
        return str(told)


the_listing_of_the_page_works()
organization = organizations_answers()
the_feed_streams(organization)
membership_answers(organization)
partners_answers()
branding_answers(organization)
the_gateway_routes(organization)
broken_frames_are_told()
print("every service answered")
