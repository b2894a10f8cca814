"""Holds answers of a running gateway to its OpenAPI document.

Arguments: where the gateway is, a session's token, the identifier of an organization. Every route that
reads and names no more than the organization is called; each answer has to be as its schema says, with no
name that the schema does not have.
"""

import copy
import json
import sys
import urllib.error
import urllib.request

from jsonschema import Draft202012Validator, FormatChecker

ADDRESS, TOKEN, ORGANIZATION = sys.argv[1:]


def call(verb, path, body=None):
    request = urllib.request.Request(
        ADDRESS + path,
        method=verb,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers.get_content_type(), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get_content_type(), error.read()


document = json.loads(call("GET", "/openapi.json")[2])
components = copy.deepcopy(document["components"])
for schema in components["schemas"].values():
    if schema.get("type") == "object":
        schema.setdefault("additionalProperties", False)


def check(schema, answer, place):
    root = {**schema, "components": components}
    faults = list(Draft202012Validator(root, format_checker=FormatChecker()).iter_errors(answer))
    assert not faults, f"{place}: {[(list(fault.path), fault.message) for fault in faults]}"


# What organizations have alone that were made in a sign-up.
NOT_OF_EVERY_ORGANIZATION = ["/v1/organizations/{organizationId}/signUpData"]

# What an organization has once it was begun.
status, _, body = call(
    "POST", f"/v1/organizations/{ORGANIZATION}/subscription", {"plan": "Everything"})
assert status == 201, f"subscription: {status} {body}"

checked = 0
for path, operations in document["paths"].items():
    operation = operations.get("get")
    own = path.replace("{organizationId}", ORGANIZATION)
    if operation and operation["tags"] == ["Organizations"]:
        own = own.replace("{id}", ORGANIZATION)
    if not operation or "{" in own or path in NOT_OF_EVERY_ORGANIZATION:
        continue
    status, kind, body = call("GET", own)
    assert status == 200, f"{own}: {status} {body}"
    content = operation["responses"]["200"]["content"]
    assert kind in content, f"{own}: {kind}"
    if kind == "application/json":
        check(content[kind]["schema"], json.loads(body), own)
        checked += 1

problem = {"$ref": "#/components/schemas/Problem"}
for verb, path, body in [
    ("GET", "/v1/nothing", None),
    ("GET", "/v1/organizations/x", None),
    ("POST", "/v1/organizations", {"title": ""}),
    ("POST", "/v1/organizations", {"titel": "x"}),
    ("DELETE", "/v1/organizations", None),
]:
    status, _, answer = call(verb, path, body)
    assert status >= 400, f"{verb} {path}: {status}"
    check(problem, json.loads(answer), f"{verb} {path}")

# What the document says of a request holds, too.
made, _, answer = call(
    "POST",
    "/v1/organizations",
    {"title": "By the document", "country": "US", "category": "ORGANIZATION_CATEGORY_ACADEMIC_K12"},
)
created = document["paths"]["/v1/organizations"]["post"]["responses"]
assert str(made) in created, f"{made}: {answer}"
check(created[str(made)]["content"]["application/json"]["schema"], json.loads(answer), "created")

print(f"{checked} answers are as described")
