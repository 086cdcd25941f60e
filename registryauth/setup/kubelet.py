"""Our provider in the kubelet's configuration: which images it is asked for, where it finds the store, what the kubelet is told.

Sources: k8s.io/kubelet ``config/v1/types.go``; how the kubelet matches, kubernetes ``pkg/credentialprovider/keyring.go``
(URLsMatch): as many labels in the host, each of them alike or ``*``; the same port or none on both sides; a path by raw prefix.
"""

from __future__ import annotations

import os
import stat
import sys

from registryauth._paths import state_dir
from registryauth._redact import printable
from registryauth.config import DEFAULT
from registryauth.config.keys import KEYS, field
from registryauth.errors import ConfigurationError
from registryauth.resolver.documents import read_file
from registryauth.setup.program import PROVIDER, installed
from registryauth.setup.provider_file import API_VERSION, PLAIN, ProviderChange, parsed, with_provider, without_provider

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from registryauth.config import Config
    from registryauth.reference import Address
    from registryauth.setup.provider_file import Fields

#: Where the file is put if nobody says otherwise; the kubelet has no default of its own.
FILE = "/etc/kubernetes/credential-provider-config.yaml"
#: What `registryauth.kubelet_provider` speaks.
PROVIDER_API = "credentialprovider.kubelet.k8s.io/v1"
#: The annotations that it reads (`registryauth.kubelet_provider`).
ANNOTATIONS = ("kubernetes.azure.com/acr-client-id", "kubernetes.azure.com/acr-tenant-id")
#: For answers that do not say how long they hold; ours always do, and the field has no default.
_CACHE = "10m0s"


def plan(patterns: Sequence[str], variables: Mapping[str, str], file: str = FILE, *, service_accounts: bool = False) -> ProviderChange:
    """What makes the kubelet ask our provider for *patterns*, beside those it asks it for already, with *variables* in its environment.

    With *service_accounts* it also sends a token of the pod's service account, for Azure. Raise `ConfigurationError` for a file that
    the kubelet would not read, or whose version knows no such tokens.
    """
    path = os.path.realpath(file)
    before = read_file(path, error=ConfigurationError)
    document = parsed(before, path)
    if service_accounts and document["apiVersion"] != API_VERSION:
        raise ConfigurationError(
            f"{printable(path)} is of {printable(str(document['apiVersion']), 60)}, which knows no tokens of service accounts",
            file=path,
            key="apiVersion",
            hint=f"write apiVersion: {API_VERSION} there first",
        )
    there = _ours(document)
    provider = dict(there)
    provider |= {
        "name": PROVIDER,
        "apiVersion": PROVIDER_API,
        "matchImages": widest((*_texts(there.get("matchImages"), path), *patterns)),
        "defaultCacheDuration": there.get("defaultCacheDuration") or _CACHE,
        "env": _variables(there.get("env"), variables, path),
    }
    if service_accounts:
        provider["tokenAttributes"] = {
            "serviceAccountTokenAudience": "api://AzureADTokenExchange",
            "cacheType": "ServiceAccount",
            "requireServiceAccount": False,
            "optionalServiceAccountAnnotationKeys": list(ANNOTATIONS),
        }
    after = before if before is not None and provider == there else with_provider(before, path, provider)
    return ProviderChange(path, before, after, (PROVIDER,), _led_elsewhere(there.get("env"), variables, path))


def undo(patterns: Sequence[str] = (), file: str = FILE) -> ProviderChange:
    """What makes the kubelet not ask us any more: for *patterns*, or, where none is given or none is left, at all."""
    path = os.path.realpath(file)
    before = read_file(path, error=ConfigurationError)
    document = parsed(before, path)
    there = _ours(document)
    if before is None or not there:
        return ProviderChange(path, before, before, (PROVIDER,))
    known = _texts(there.get("matchImages"), path)
    kept = [each for each in known if patterns and each not in patterns]
    gone = tuple(each for each in known if each not in kept)
    if kept:
        unchanged = kept == there.get("matchImages")
        after = before if unchanged else with_provider(before, path, there | {"matchImages": kept})
        return ProviderChange(path, before, after, (PROVIDER,), gone=gone, left=tuple(kept))
    warnings = (
        () if len(document["providers"]) > 1 else ("no provider is left in it: the kubelet refuses such a file, so take its flag off",)
    )
    return ProviderChange(path, before, without_provider(before, path, PROVIDER), (PROVIDER,), warnings, gone)


def _ours(document: Fields) -> Fields:
    return next((each for each in document["providers"] if each.get("name") == PROVIDER), {})


def _texts(said: object, path: str) -> list[str]:
    if said is None:
        return []
    if not isinstance(said, list) or not all(isinstance(each, str) for each in said):
        raise ConfigurationError(f"{printable(path)}: matchImages of {PROVIDER} must be a list of texts", file=path, hint="correct it")
    return said


def _led_elsewhere(said: object, wanted: Mapping[str, str], path: str) -> tuple[str, ...]:
    """A warning where *wanted* leads the registries that are there already to another store, or to other settings."""
    there = {each["name"]: each["value"] for each in _variables(said, {}, path)}
    other = [name for name in wanted if name in there and there[name] != wanted[name]]
    if not other:
        return ()
    named = ", ".join(f"{name} from {printable(there[name], 400)} to {printable(wanted[name], 400)}" for name in other)
    return (f"this leads every registry of the entry elsewhere than before: {named}; --undo it first, if that is another's",)


def _variables(said: object, wanted: Mapping[str, str], path: str) -> list[dict[str, str]]:
    """The variables that are there, with ours in the place of those of the same name."""
    there = said or []
    if not isinstance(there, list) or not all(isinstance(each, dict) and isinstance(each.get("name"), str) for each in there):
        raise ConfigurationError(f"{printable(path)}: env of {PROVIDER} must be a list of names and values", file=path, hint="correct it")
    merged = {each["name"]: str(each.get("value", "")) for each in there} | dict(wanted)
    return [{"name": name, "value": value} for name, value in merged.items()]


def match_images(addresses: Iterable[Address]) -> tuple[list[str], tuple[str, ...]]:
    """The patterns for *addresses*, and a warning for each that the kubelet's rules cannot say.

    A wildcard host is the kubelet's own. A path also matches what merely begins like it, which our provider then has no answer for.
    """
    addresses = list(addresses)
    # A host in brackets is read as a set of characters, unless a port is cut off behind it.
    lost = [each for each in addresses if each.registry.host.endswith("]")]
    patterns = widest(str(each) for each in addresses if each not in lost)
    return patterns, tuple(f"the kubelet cannot match {each}, an IPv6 address without a port; it is left out" for each in lost)


def widest(patterns: Iterable[str]) -> list[str]:
    """*patterns* without those for a path in a registry that is there as a whole; sorted, so that the same store makes the same file."""
    known = set(patterns)
    return sorted(each for each in known if "/" not in each or each.partition("/")[0] not in known)


def variables(config: Config, environ: Mapping[str, str], user_file: str) -> dict[str, str]:
    """What the provider needs in its environment to find what *config* found under *environ*: places and choices, never a secret.

    The kubelet has another home directory, or none: what would follow from that is written out.
    """
    found = {"REGISTRYAUTH_CONFIG": os.path.abspath(user_file)} if os.path.exists(user_file) else {}
    # The audit log is there, and when a record was last used.
    found["XDG_STATE_HOME"] = os.path.dirname(state_dir(environ))
    # Without a local store, there is no path of it to tell.
    at_home = ("store.path", "store.key_file") if config.store_backend == "local" else ()
    for key in KEYS:
        name = f"REGISTRYAUTH_{key.upper().replace('.', '_')}"
        held = str(getattr(config, field(key)))
        if config.origins[key] == name:
            # A path of the shell means something else elsewhere.
            found[name] = os.path.abspath(held) if key.endswith(("path", "file")) else environ[name]
        elif key in at_home and config.origins[key] == DEFAULT and held:
            found[name] = held
    theirs = (name for name in PLAIN if config.store_backend == "vault" and name.startswith(("VAULT_", "BAO_")))
    return found | {name: environ[name] for name in theirs if environ.get(name)}


def place(bin_dir: str, executable: str = sys.executable) -> tuple[str, str]:
    """Where our program is to be for the kubelet, in *bin_dir* or where it is installed, and what a link there must lead to.

    The second is empty where no link is needed. Raise `ConfigurationError` where something else is in the way.
    """
    program = installed(PROVIDER, executable)
    if not program:
        raise ConfigurationError(f"{PROVIDER} is not beside {printable(executable)}", hint="install registryauth again")
    if not bin_dir:
        return program, ""
    if not os.path.isdir(bin_dir):
        raise ConfigurationError(f"{printable(bin_dir)} is no directory, and the kubelet does not start without it", hint="make it first")
    path = os.path.join(os.path.abspath(bin_dir), PROVIDER)
    if os.path.realpath(path) == os.path.realpath(program):
        return path, ""
    if os.path.lexists(path):
        raise ConfigurationError(
            f"{printable(path)} is there and is another program", hint="move it away, if registryauth is to take its place"
        )
    return path, program


def link(path: str, program: str) -> None:
    """Make *path* lead to *program*; raise `ConfigurationError`."""
    try:
        os.symlink(program, path)
    except OSError as error:
        raise ConfigurationError(
            f"{printable(path)} cannot be made: {error.strerror}", hint="run it as the owner of that directory"
        ) from None


def unlink(bin_dir: str, executable: str = sys.executable) -> str:
    """Take our link out of *bin_dir*; its path, empty where there is none of ours."""
    path = os.path.join(os.path.abspath(bin_dir), PROVIDER) if bin_dir else ""
    if not path or not os.path.islink(path) or os.path.realpath(path) != os.path.realpath(installed(PROVIDER, executable)):
        return ""
    os.unlink(path)
    return path


def permissions(paths: Iterable[str], user: int | None = None) -> list[str]:
    """What is wrong with who may write to *paths*, which the kubelet, as root, runs or believes; *user* is who we are."""
    user = os.geteuid() if user is None else user
    said = []
    if user:
        said.append(f"you are user {user}; the kubelet runs as root, and root uses no store that belongs to another user: run this as root")
    for path in paths:
        try:
            found = os.stat(path)
        except OSError:
            continue
        if found.st_uid or stat.S_IMODE(found.st_mode) & 0o022:
            others = f"user {found.st_uid}" if found.st_uid else "others"
            said.append(f"{others} may write to {printable(path)}, and so decide what the kubelet does as root: chown root, chmod go-w")
    return said
