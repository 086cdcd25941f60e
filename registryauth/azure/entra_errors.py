"""What Entra means by its refusals, and what to do about each.

Source: Microsoft Learn "Microsoft Entra authentication and authorization error codes". The numbers may be given finer ones at any time,
so one that is not here is passed on with Entra's own words.
"""

from __future__ import annotations

import re

from registryauth._http.retrying import retry_after
from registryauth._json import Node, load_json
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import AzureError, ContentError, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from registryauth._http import Response

#: Bytes of an error's body; Entra's have two KiB.
_MAX_BODY = 64 * 1024
_CODE = r"AADSTS([0-9]{4,9})"
GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

_AGAIN = "sign in again: az login"
_RESOURCE = ("it knows no such audience", "is this the registry's cloud? In some tenants the registry's own audience is not there yet")
_TENANT = ("there is no such tenant in this cloud", "check the tenant, and the cloud: China and US Government have tenants of their own")
_POLICY = ("a policy of the tenant (conditional access) does not let it", f"{_AGAIN} --tenant TENANT, from a device and network that may")

#: Code to what is wrong and what to do.
MEANINGS: Mapping[int, tuple[str, str]] = {
    7000222: (
        "its client secret has expired",
        "make a new one (registryauth principal rotate REGISTRY --source entra, or az ad app credential reset --append), and use that",
    ),
    7000215: (
        "its client secret is wrong",
        "give the secret's value, shown once when it was made, and not its Secret ID; a secret that was just removed reads the same",
    ),
    7000218: ("it asks for a client secret or an assertion, and got neither", "set AZURE_CLIENT_SECRET or a certificate"),
    7000112: ("the application is switched off", "an administrator of the tenant can enable it (Enterprise applications, Properties)"),
    700016: (
        "the tenant has no such application",
        "check client ID and tenant: they belong together, and an object ID is no client ID; a new one may take a minute",
    ),
    700027: (
        "the certificate is not registered with the application",
        "upload its public part: az ad app credential reset --append --cert",
    ),
    700024: ("the signed assertion is too early or too late", "is this machine's clock right?"),
    700211: ("no federated credential of the application names this issuer", "az ad app federated-credential list shows which there are"),
    700212: ("no federated credential of the application names this audience", "the token must be made for api://AzureADTokenExchange"),
    700213: ("no federated credential of the application names this subject", "az ad app federated-credential list shows which there are"),
    70021: (
        "no federated credential of the application matches the token",
        "compare issuer, subject and audience with az ad app federated-credential list",
    ),
    90002: _TENANT,
    900023: ("that is no tenant's name or ID", "az account show --query tenantId"),
    900382: ("the tenant is another cloud's", "set azure.cloud: China and US Government have authorities of their own"),
    500011: _RESOURCE,
    50001: _RESOURCE,
    70011: ("the scope is none that it knows", "is this the registry's cloud?"),
    50034: ("the account is not in this tenant", "az login --tenant TENANT"),
    700082: ("the person's sign-in has expired, unused for too long", _AGAIN),
    70043: ("the person's sign-in has expired by a rule of the tenant", _AGAIN),
    50173: ("the person's sign-in was revoked, or the password changed", _AGAIN),
    50078: ("the person's second factor has expired", _AGAIN),
    50076: ("the person must show a second factor", f"{_AGAIN} --tenant TENANT"),
    50079: ("the person must register a second factor", f"{_AGAIN} --tenant TENANT"),
    53003: _POLICY,
    53000: _POLICY,
}
#: Those that speak of what the token was for, so that another audience may do.
AUDIENCE_CODES = frozenset(f"AADSTS{code}" for code in (500011, 50001, 70011, 650057, 65001))


class Proof(Value, hidden=("secrets",)):
    """What was presented: *secrets* are never repeated, whoever repeats them; *is_guid* says that it is written as no secret is."""

    secrets: tuple[str, ...] = ()
    is_guid: bool = False


def proof_of(secret: str) -> Proof:
    """The proof that a client *secret* is."""
    return Proof((secret,), bool(re.fullmatch(GUID, secret)))


def code_in(text: str) -> str:
    """The first ``AADSTS…`` in *text*, empty where there is none."""
    found = re.search(_CODE, text)
    return found[0] if found else ""


def refusal(response: Response, who: str, now: float, proof: Proof | None = None) -> AzureError:
    """The error that *response*, one of Entra's of status 300 and more, stands for; *who* was refused. Reads at most 64 KiB."""
    status, headers = response.status, response.headers
    if 300 <= status < 400:
        response.close()
        return AzureError(
            f"Entra sent {who} elsewhere ({status}), where no secret goes", status=status, hint="is a captive portal in the way?"
        )
    said = _said(response)
    text = _text(said, "error_description")
    code = _numbered(said) or code_in(text) or _text(said, "error")
    if status == 429:
        wished = retry_after(headers.get("retry-after"), now)
        hint = f"wait {wished:.0f} s, then try again" if wished else "try again later"
        return AzureError(f"Entra is throttling {who}", status=status, code=printable(code, 40), hint=hint)
    correlation = printable(_text(said, "correlation_id") or headers.get("x-ms-request-id"), 60)
    return meaning(printable(code, 40), who, text, proof, status=status, correlation_id=correlation)


def meaning(code: str, who: str, words: str, proof: Proof | None = None, *, status: int = 0, correlation_id: str = "") -> AzureError:
    """The error for *code*, one of Entra's; *words* are its own, shown where we have none, and never with a secret of *proof*."""
    proof = proof or Proof()
    number = int(found[1]) if (found := re.fullmatch(_CODE, code)) else 0
    said, hint = MEANINGS.get(number, ("", ""))
    if number == 7000215 and proof.is_guid:
        said = "what it presents is the Secret ID of its client secret, not the secret's value"
        hint = "the value is shown once, when the secret is made, beside its ID; make a new one if it was not kept"
    if not said:
        said = _first_sentence(words, proof.secrets) or f"it gave no reason{f' (status {status})' if status else ''}"
        hint = f"Azure's support finds it by the correlation id {correlation_id}" if correlation_id else "check tenant, client ID and cloud"
    error = AzureError(
        f"Entra refused {who}: {said}{f' ({code})' if number else ''}", status=status, code=code, correlation_id=correlation_id, hint=hint
    )
    # A sign-in that is refused is a refusal, whatever status it comes with: Entra says 400 of most.
    error.exit_code = 4
    return error


def _first_sentence(words: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        words = words.replace(secret, "***") if secret else words
    head = re.split(r"(?:\.\s|\r?\n|Trace ID:)", words, maxsplit=1)[0]
    return printable(re.sub(rf"\A{_CODE}: ?", "", head)).rstrip(".")


def _text(said: Node, name: str) -> str:
    """A field that should be text; empty where it is something else."""
    value = said.field(name).value
    return value if isinstance(value, str) else ""


def _numbered(said: Node) -> str:
    codes = said.field("error_codes").value
    first = codes[0] if isinstance(codes, list) and codes else None
    return f"AADSTS{first}" if isinstance(first, int) and not isinstance(first, bool) and 0 < first < 10**9 else ""


def _said(response: Response) -> Node:
    """The error as an object; an empty one where the body is none of Entra's (a proxy's page)."""
    try:
        found = load_json(response.read(_MAX_BODY), "an error", error=AzureError)
    except (AzureError, ContentError, TransportError):
        found = None
    return Node(found if isinstance(found, dict) else None, "Entra's answer", error=AzureError)
