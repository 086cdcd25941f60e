"""The manual page, in the man(7) macros, from the verbs themselves. docs/man/registryauth.1 is this, and a test compares the two."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from registryauth import __version__

#: Of the last change of what the page says apart from the verbs; the page of one version is the same on every day.
_DATE = "2026-11-22"

_INTRODUCTION = """\
registryauth keeps the credentials of container registries, each verified against its registry before it is kept and encrypted
where it rests; hands the right one to docker, podman, Kubernetes, Azure and whatever else pulls images, in the form that it takes;
and fetches, pushes and copies images itself, every byte verified.

What a verb was asked for goes to standard output, what it has to say about it to standard error. No verb prints a secret
unless it is told to in so many words, and none takes one as an argument."""

_STATUSES = {
    "0": "What was asked for was done.",
    "1": "An error that is none of the following.",
    "2": "The command line or the configuration makes no sense.",
    "3": "There is no such thing: no credential, no image.",
    "4": "Refused: the credential is wrong, or may not do what was asked for.",
    "5": "The store is locked or damaged.",
    "6": "No answer from the network.",
    "7": "The question was answered no: something expires, is wider than asked for, or was found by the doctor.",
    "130": "Interrupted.",
}

_VARIABLES = {
    "REGISTRYAUTH_SECTION_KEY": "Any setting of the configuration: REGISTRYAUTH_STORE_PATH is path under [store]. It overrides the files.",
    "REGISTRYAUTH_CONFIG": "The configuration file to read in place of the user's.",
    "REGISTRYAUTH_REGISTRY, REGISTRYAUTH_USERNAME, REGISTRYAUTH_PASSWORD": "A credential for one registry; all three or none.",
    "REGISTRYAUTH_PASSPHRASE": "The passphrase of a store that has one.",
    "REGISTRYAUTH_MASTER_KEY": "The key of a store whose key comes from the environment: 32 bytes in base64.",
    "REGISTRYAUTH_BUNDLE_PASSPHRASE": "The passphrase of a bundle that is exported or imported.",
    "DOCKER_CONFIG, DOCKER_AUTH_CONFIG, REGISTRY_AUTH_FILE": "Where docker's and podman's logins are; they are read as those programs do.",
    "HTTPS_PROXY, HTTP_PROXY, NO_PROXY": "The proxy to use.",
    "COLUMNS": "The width that tables are folded to at a terminal.",
}

_FILES = {
    "~/.config/registryauth/config.toml": "The user's configuration; 'registryauth config init' writes one that explains every setting.",
    "/etc/registryauth/config.toml": "The system's.",
    "~/.config/registryauth/store.key": "The store's key, where that is in a file.",
    "~/.local/share/registryauth/store.db": "The store. Every secret in it is encrypted; names and dates are not.",
    "~/.local/state/registryauth/audit.log": "Who read or changed which credential, and when.",
}

_EXAMPLES = {
    "Log in, and let docker use it:": (
        "registryauth login myregistry.azurecr.io -u CLIENT_ID",
        "registryauth setup docker myregistry.azurecr.io",
    ),
    "Register a service principal for one path, and what ends within a month:": (
        "registryauth principal add myregistry.azurecr.io/team \\",
        "  --client-id CLIENT_ID --expires 180d --secret-stdin < secret.txt",
        "registryauth principal list --expiring 30d",
    ),
    "Hand a pull secret to Kubernetes:": (
        "registryauth resolve myregistry.azurecr.io/team/model:v1 \\",
        "  --format kubernetes-secret | kubectl apply -f -",
    ),
    "Why does this pull fail?": ("registryauth doctor myregistry.azurecr.io/team/model:v1",),
}

_SEE_ALSO = ("docker-credential-registryauth", "registryauth-credential-provider")


def page(root: Any) -> str:  # noqa: ANN401 - typer's own class, which it does not export
    """The page for the command *root* and every verb in it."""
    return "\n".join(_lines(root)) + "\n"


def _lines(root: Any) -> Iterator[str]:  # noqa: ANN401 - as above
    yield f'.TH REGISTRYAUTH 1 {_DATE} "registryauth {__version__}"'
    yield ".SH NAME"
    yield f"registryauth {_escaped('-')} log in to container registries, keep and hand out their credentials, fetch images"
    yield ".SH SYNOPSIS"
    yield ".B registryauth"
    yield ".RI [ options ]"
    yield ".I verb"
    yield ".RI [ arguments ]"
    yield ".SH DESCRIPTION"
    yield from _paragraphs(_INTRODUCTION)
    yield ".SH OPTIONS"
    yield "These stand before the verb;"
    yield from (r".BR \-v ,", r".B \-q", "and", r".B \-h")
    yield "also after it, and are not listed again there."
    yield from _options(root, ())
    yield ".SH VERBS"
    common = frozenset(name for option in root.params for name in option.opts)
    for path, verb in _verbs(root, ()):
        yield from _verb(path, verb, common)
    yield from _list("EXIT STATUS", _STATUSES)
    yield from _list("ENVIRONMENT", _VARIABLES)
    yield from _list("FILES", _FILES)
    yield ".PP"
    yield from _paragraphs("XDG_CONFIG_HOME, XDG_DATA_HOME and XDG_STATE_HOME move them.")
    yield ".SH EXAMPLES"
    for number, (title, commands) in enumerate(_EXAMPLES.items()):
        yield from (".PP",) if number else ()
        yield _escaped(title)
        yield from (".PP", ".RS 4", ".nf")
        yield from map(_escaped, commands)
        yield from (".fi", ".RE")
    yield ".SH SEE ALSO"
    yield from (f".BR {_escaped(name)} (1){',' if name != _SEE_ALSO[-1] else ''}" for name in _SEE_ALSO)


def _verbs(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - as above
    for name in command.list_commands(None):
        verb = command.get_command(None, name)
        if not verb.hidden:
            yield from _verbs(verb, (*path, name)) if hasattr(verb, "list_commands") else [((*path, name), verb)]


def _verb(path: tuple[str, ...], verb: Any, common: frozenset[str]) -> Iterator[str]:  # noqa: ANN401 - as above
    arguments = [one for one in verb.params if one.param_type_name == "argument"]
    placed = " ".join(one.metavar if one.required or "[" in one.metavar[:1] else f"[{one.metavar}]" for one in arguments)
    yield f".SS {_escaped(' '.join(path))}"
    yield f".B registryauth {_escaped(' '.join(path))}"
    yield r".RI [ options ]"
    if placed:
        yield f".I {_escaped(placed)}"
    yield ".PP"
    yield from _paragraphs(verb.help or "")
    for argument in arguments:
        yield from (".TP", f".I {_escaped(argument.metavar)}", _escaped(argument.help or "") or r"\&")
    yield from _options(verb, common)


def _options(command: Any, common: Iterable[str]) -> Iterator[str]:  # noqa: ANN401 - as above
    for option in command.params:
        if option.param_type_name != "option" or option.hidden or set(option.opts) & set(common):
            continue
        names = ", ".join(rf"\fB{_escaped(name)}\fR" for name in (*option.opts, *option.secondary_opts))
        value = "" if option.is_flag else rf" \fI{_escaped(_value(option))}\fR"
        default = f" By default {option.default}." if _has_default(option) else ""
        yield from (".TP", f"{names}{value}", _escaped(" ".join((option.help or "").split()) + default))


def _value(option: Any) -> str:  # noqa: ANN401 - as above
    choices = [str(getattr(one, "value", one)) for one in getattr(option.type, "choices", ())]
    return "|".join(choices) if choices else option.metavar or ("N" if "Int" in type(option.type).__name__ else "TEXT")


def _has_default(option: Any) -> bool:  # noqa: ANN401 - as above
    return not option.is_flag and isinstance(option.default, str | int) and str(option.default) != ""


def _list(title: str, items: dict[str, str]) -> Iterator[str]:
    yield f".SH {title}"
    for name, text in items.items():
        yield from (".TP", f".B {_escaped(name)}", _escaped(text))


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        if number:
            yield ".PP"
        yield _escaped(" ".join(paragraph.split()))


def _escaped(text: str) -> str:
    """*text* as roff prints it: no escape of its own, no hyphen where a program wants a minus, no request at its start."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("`", r"\(ga").replace("~", r"\(ti").replace("^", r"\(ha")
    text = text.replace("\u2026", "...").replace("'", r"\(aq")
    return rf"\&{text}" if text.startswith((".", "'")) else text
