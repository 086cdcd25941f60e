"""What to attach to a ticket: one archive, every secret blotted out, nothing of the store but its state."""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from registryauth._redact import printable
from registryauth.errors import ConfigurationError, Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.config import Config
    from registryauth.diagnosis.redaction import Blotter
    from registryauth.stores import Principal

#: Variables that decide what we do, by name or by how they begin; their names are told, never their values.
_OF_INTEREST = ("REGISTRYAUTH_", "DOCKER_", "CONTAINERS_", "REGISTRY_AUTH_FILE", "AZURE_", "VAULT_", "BAO_", "XDG_", "SSL_CERT_", "KUBE")
_BY_NAME = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "CI",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "TF_BUILD",
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
)
_PACKAGES = ("registryauth", "anyio", "azure-identity", "cryptography", "httpx", "keyring", "pyyaml", "tenacity", "typer")


def check_name(path: str) -> None:
    """Raise `ConfigurationError` unless *path* is a new file, called as one of the archives that we write."""
    if not path.endswith((".zip", ".tar.gz", ".tgz")):
        raise ConfigurationError(f"{printable(path)} is no name of a bundle", file=path, hint="call it something.zip or something.tar.gz")
    if os.path.lexists(path):
        raise ConfigurationError(f"{printable(path)} is there already", file=path, hint="it was left as it is; choose another name")


def write(path: str, documents: Mapping[str, Any], blotter: Blotter) -> None:
    """Write *documents*, JSON each, into the archive *path*, mode 0600, what *blotter* knows blotted out.

    Raise `ConfigurationError` if the file is there already, `Error` if it cannot be written; nothing is left of it then.
    """
    check_name(path)
    files = {f"{name}.json": (json.dumps(blotter.plain(data), indent=2) + "\n").encode() for name, data in documents.items()}
    content = _zip(files) if path.endswith(".zip") else _tar(files)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0), 0o600)
    except FileExistsError:
        raise ConfigurationError(
            f"{printable(path)} is there already", file=path, hint="it was left as it is; choose another name"
        ) from None
    except OSError as error:
        raise Error(f"{printable(path)} cannot be written: {error.strerror}", hint="name a file in a directory of yours") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except OSError as error:
        os.unlink(path)
        raise Error(f"{printable(path)} cannot be written: {error.strerror}", hint="is there room on that disk?") from error


def versions() -> dict[str, Any]:
    """What runs here: program, Python, TLS library, system."""
    import platform
    import ssl
    from importlib import metadata

    found: dict[str, str | None] = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    system = {"system": platform.system(), "release": platform.release(), "machine": platform.machine()}
    return {"packages": found, "python": platform.python_version(), "tls": ssl.OPENSSL_VERSION, **system}


def settings(config: Config) -> list[dict[str, str]]:
    """Every setting with its origin, as ``config show --origin`` has them."""
    return [{"key": key, "value": value, "origin": origin} for key, value, origin in config.describe()]


def without_addresses(data: Any, records: Iterable[Principal]) -> Any:  # noqa: ANN401 - any JSON
    """*data* with a stand-in (``registry-1``, ``account-1``) for each stored registry, path and account, the same wherever it stands."""
    held = list(records)
    hosts = {host: f"registry-{at}" for at, host in enumerate(sorted({record.address.registry.host for record in held}), 1)}
    paths = {path: f"path-{at}" for at, path in enumerate(sorted({record.address.path for record in held if record.address.path}), 1)}
    accounts = {name: f"account-{at}" for at, name in enumerate(sorted({record.account for record in held if record.account}), 1)}
    known = hosts | paths | accounts
    if not known:
        return data
    # Whole words, the longest first: an account may be called as a part of a host is.
    pattern = re.compile(rf"(?<![\w.-])(?:{'|'.join(map(re.escape, sorted(known, key=len, reverse=True)))})(?![\w-]|\.\w)")

    def replaced(value: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, str):
            return pattern.sub(lambda match: known[match[0]], value)
        if isinstance(value, Mapping):
            # Our own keys stay: an account may be called as one of them.
            return {key: replaced(inner) for key, inner in value.items()}
        return [replaced(inner) for inner in value] if isinstance(value, Sequence) else value

    return replaced(data)


def names_of(environ: Mapping[str, str]) -> list[str]:
    """The variables of interest that are set: their names."""
    return sorted(printable(name, 80) for name in environ if name.upper().startswith(_OF_INTEREST) or name.upper() in _BY_NAME)


def _zip(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def _tar(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()
