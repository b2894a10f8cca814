"""Fetches an OpenAPI document and holds it to the specification, version 3.1."""

import json
import sys
import urllib.request

from openapi_spec_validator import OpenAPIV31SpecValidator

with urllib.request.urlopen(sys.argv[1]) as answer:
    document = json.load(answer)
OpenAPIV31SpecValidator(document).validate()
assert document["openapi"].startswith("3.1."), document["openapi"]

# What the specification leaves to readers: every reference leads somewhere.
def references(part):
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


for reference in set(references(document)):
    place = document
    for name in reference.removeprefix("#/").split("/"):
        place = place[name]

operations = sum(len(path) for path in document["paths"].values())
print(f"valid: {operations} operations")
