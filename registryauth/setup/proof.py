"""Whether what was set up works: our helper asked as the client will ask it, and the client itself where it tells."""

from __future__ import annotations

from registryauth._child import find_program, run
from registryauth._json import Node, load_json
from registryauth._redact import printable
from registryauth.credentials import TOKEN_USERNAME
from registryauth.errors import SourceFailed
from registryauth.setup.kubelet import PROVIDER_API
from registryauth.setup.program import HELPER, PROVIDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from registryauth._child import Failed
    from registryauth.setup.clients import Client
    from registryauth.stores.principal import Principal

#: Seconds; a keyring may ask a person.
_TIMEOUT = 30.0
_LIMIT = 256 * 1024


def prove(client: Client, server: str, account: str, environ: Mapping[str, str]) -> list[str]:
    """A line for each thing that works for *server*, as *client*'s file has it; *account* is who should be answered with.

    Everything runs in *environ* as it is, our own variables included: that is what the client will have. Raise `SourceFailed` where
    the answer is another, or none; no answer is ever shown.
    """
    program = find_program(HELPER, environ)
    if program is None:
        return []
    answered = _asked(program, server, account, environ)
    said = [f"{HELPER} answers for {server} as {printable(account, 80)}."]
    # Podman has no user's name to tell where the answer is an identity token (common ``pkg/auth/auth.go``).
    own = find_program(client.name, environ) if client.says_login and answered != TOKEN_USERNAME else None
    if own:
        said.append(f"{client.name} login --get-login {server} says {printable(_told(own, server, account, environ), 80)}.")
    return said


def _asked(program: str, server: str, account: str, environ: Mapping[str, str]) -> str:
    done = run([program, "get"], dict(environ), _failed(program), timeout=_TIMEOUT, limit=_LIMIT, line=server, complaints=True)
    if done.status:
        reason = _last_line(done.complaints).removeprefix(f"{HELPER}: ")
        raise SourceFailed(f"{HELPER} has no answer for {server}: {reason}", hint="the entry is written; it will work once that is mended")
    what = f"the answer of {HELPER}"
    answered = Node(load_json(done.output, what, _LIMIT, error=SourceFailed), what, error=SourceFailed).field("Username").text()
    return _same(answered, account, HELPER, server)


def _told(program: str, server: str, account: str, environ: Mapping[str, str]) -> str:
    argv = [program, "login", "--get-login", server]
    done = run(argv, dict(environ), _failed(program), timeout=_TIMEOUT, limit=_LIMIT)
    if done.status:
        raise SourceFailed(f"{printable(program)} finds no login for {server}", hint=f"run it to see why: {' '.join(argv)}")
    return _same(done.output.decode("utf-8", "replace").strip(), account, printable(program), server)


def _same(answered: str, account: str, who: str, server: str) -> str:
    if answered in (account, TOKEN_USERNAME):
        return answered
    raise SourceFailed(
        f"{who} answers for {server} as {printable(answered, 80)}, and {printable(account, 80)} is stored",
        hint="another file or another installation is in the way",
    )


def _failed(program: str) -> Failed:
    return lambda complaint, hint: SourceFailed(f"{printable(program)} {complaint}", hint=hint)


def _last_line(complaints: bytes) -> str:
    lines = complaints.decode("utf-8", "replace").strip().splitlines()
    return printable(lines[-1]) if lines else "it does not say why"


def prove_provider(program: str, record: Principal, variables: Mapping[str, str]) -> list[str]:
    """A line if the kubelet's provider *program* answers for an image below *record*, with *variables* and nothing else of this shell.

    Raise `SourceFailed` where it does not.
    """
    import json

    # `*` stands for any one label; a repository that is nowhere is as good as any, for the registry is not asked.
    host = record.address.registry.host.replace("*", "any")
    image = "/".join(filter(None, (host, record.address.path, "any")))
    request = {"apiVersion": PROVIDER_API, "kind": "CredentialProviderRequest", "image": image}
    environ = {"PATH": "/usr/bin:/bin", **variables}
    done = run([program], environ, _failed(program), timeout=60, limit=_LIMIT, line=json.dumps(request), complaints=True)
    what = f"the answer of {PROVIDER}"
    reason = _last_line(done.complaints).removeprefix(f"{PROVIDER}: ")
    answer = Node(load_json(done.output, what, _LIMIT, error=SourceFailed), what, error=SourceFailed) if not done.status else None
    auth = list(answer.field("auth").fields()) if answer else []
    if not auth:
        raise SourceFailed(
            f"{PROVIDER}, run as the kubelet will run it, has no answer for {image}: {reason}",
            hint="the file is written; it will work once that is mended",
        )
    return [f"{PROVIDER}, run as the kubelet will run it, answers for {auth[0][0]}."]
