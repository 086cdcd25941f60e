"""One request to a simulator, and what it said."""

from __future__ import annotations

import base64
import json

from registryauth._http.messages import Request
from registryauth._origin import Url

HOST = "https://registry.example"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def ask(simulator, method, path, *, body=b"", **headers):
    """The answer; header names with underscores."""
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    url = path if "://" in path else HOST + path
    return simulator.handle(Request(method, Url.parse(url), fields, body))


def document(response):
    return json.loads(response.read(1 << 20))


def code(response):
    return response.status, document(response)["errors"][0]["code"]


def basic(username, password):
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def bearer(simulator, *scopes, username="robot", password="secret"):
    asked = "".join(f"&scope={scope}" for scope in scopes)
    answer = ask(simulator, "GET", f"/token?service=registry.simulator{asked}", authorization=basic(username, password))
    return "Bearer " + document(answer)["token"]


def put_manifest(simulator, repository, reference, **fields):
    """PUT an image manifest without layers; the answer and its digest."""
    config = simulator.shelf.add_blob(b"{}", repository=repository)
    content = {"schemaVersion": 2, "mediaType": MANIFEST, "config": {"mediaType": "application/x", "digest": str(config), "size": 2}}
    body = json.dumps(content | {"layers": []} | fields).encode()
    return ask(simulator, "PUT", f"/v2/{repository}/manifests/{reference}", body=body, content_type=MANIFEST), body
