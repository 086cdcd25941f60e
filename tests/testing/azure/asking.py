"""Requests to an AzureSimulator, as clients send them."""

from __future__ import annotations

import base64
import json
from urllib.parse import urlencode

from registryauth._http.messages import Request
from registryauth._origin import Url

LOGIN = "https://login.microsoftonline.com"
ARM = "https://management.azure.com"
GRAPH = "https://graph.microsoft.com/v1.0"
ACR = "https://myregistry.azurecr.io"
ARM_SCOPE = f"{ARM}/.default"
ACR_SCOPE = "https://containerregistry.azure.net/.default"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: The highest version of each that the clients read for this use.
REGISTRIES, WORKSPACES, ROLES = "2025-11-01", "2025-12-01", "2022-04-01"


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read(1 << 24)

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """Status and code of an error of ARM, Graph or a registry, or Entra's number."""
        said = self.json
        if "error_codes" in said:
            return self.status, (said["error_codes"] or [said["error"]])[0]
        return self.status, said["errors"][0]["code"] if "errors" in said else said["error"]["code"]

    @property
    def message(self):
        said = self.json
        return said.get("error_description") or (said["errors"][0] if "errors" in said else said["error"])["message"]


class Asking:
    def __init__(self, azure):
        self.azure = azure

    def __call__(self, method, url, body=b"", **headers):
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        return Answer(self.azure.handle(Request(method, Url.parse(url), fields, body)))

    def form(self, url, **fields):
        return self("POST", url, urlencode(fields).encode(), content_type="application/x-www-form-urlencoded")

    def login(self, app, secret="", scope=ARM_SCOPE, tenant="", **more):
        """A request for a token by client credentials."""
        proof = {"client_secret": secret} if secret else {}
        url = f"{LOGIN}/{tenant or app.tenant.id}/oauth2/v2.0/token"
        return self.form(url, grant_type="client_credentials", client_id=app.app_id, scope=scope, **proof, **more)

    def arm(self, who, method, path, version, body=b"", **headers):
        """A request to resource management by *who*."""
        joint = "&" if "?" in path else "?"
        return self(method, f"{ARM}{path}{joint}api-version={version}", body, authorization=f"Bearer {self.azure.token(who)}", **headers)

    def graph(self, who, method, path, body=b""):
        token = self.azure.token(who, "https://graph.microsoft.com/.default")
        return self(method, f"{GRAPH}{path}", body, authorization=f"Bearer {token}")

    def exchange(self, who, scope=ACR_SCOPE, base=ACR):
        """The answer to an exchange of an Entra token of *who*."""
        return self.form(f"{base}/oauth2/exchange", grant_type="access_token", service=base[8:], access_token=self.azure.token(who, scope))

    def access(self, refresh_token, *scopes, base=ACR):
        """The answer to a request for an access token."""
        return self.form(
            f"{base}/oauth2/token", grant_type="refresh_token", service=base[8:], scope=" ".join(scopes), refresh_token=refresh_token
        )

    def bearer(self, who, *scopes):
        """The ``Authorization`` that *who* gets for *scopes*."""
        return "Bearer " + self.access(self.exchange(who).json["refresh_token"], *scopes).json["access_token"]


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def basic(username, password):
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def granted(answer):
    """What an access token grants, by name."""
    return {one["name"]: one["actions"] for one in claims(answer.json["access_token"])["access"]}
