"""The kubelet's ``CredentialProviderConfig``: one provider put in, replaced or taken out; every other line stays as it is.

Source: k8s.io/kubelet ``config/v1/types.go``; kubernetes ``pkg/credentialprovider/plugin/config.go``, which reads YAML and JSON.
"""

from __future__ import annotations

import json
import re

from registryauth._redact import printable
from registryauth.config.keys import KEYS
from registryauth.errors import ConfigurationError
from registryauth.setup.change import Change, blotted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

API_VERSION = "kubelet.config.k8s.io/v1"
#: Older kubelets' versions, of which an existing file may be; in these no provider takes tokens of service accounts.
OLDER = ("kubelet.config.k8s.io/v1beta1", "kubelet.config.k8s.io/v1alpha1")
KIND = "CredentialProviderConfig"
#: Variables that say where things are, and which are to be used: there is no secret in them.
PLAIN = (
    "REGISTRYAUTH_CONFIG",
    "XDG_STATE_HOME",
    *(f"REGISTRYAUTH_{key.upper().replace('.', '_')}" for key in KEYS),
    *(f"{whose}_{what}" for whose in ("VAULT", "BAO") for what in ("ADDR", "NAMESPACE", "CACERT")),
)
#: Bytes; a file that names some hundred registries has 30 KiB.
MAX_FILE = 256 * 1024
#: Levels; the kubelet's types have seven, and reading costs the square of them.
_MAX_DEPTH = 32

#: A document or a provider of it.
Fields = dict[str, "Any"]


class ProviderChange(Change):
    """A change of the kubelet's configuration; what may be a secret in it is blotted out.

    Of an undoing, *gone* are the patterns for which the kubelet asks our provider no more, and *left* those that stay.
    """

    gone: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def shown(self, content: bytes) -> list[str]:
        """The document as YAML, without the values of arguments and of variables that are not ours."""
        document = parsed(content, self.path)
        return _dumped(document | {"providers": [_redacted(each) for each in document["providers"]]}).splitlines()


def _redacted(provider: Fields) -> Fields:
    shown = {key: blotted(value) if key == "args" else value for key, value in provider.items()}
    if isinstance(env := provider.get("env"), list):
        shown["env"] = [_redacted_variable(each) for each in env]
    return shown


def _redacted_variable(said: object) -> object:
    name = said.get("name") if isinstance(said, dict) else None
    return said if name in PLAIN else {"name": name, "value": "***"}


def parsed(content: bytes | None, path: str) -> Fields:
    """The document in *content*, a new one where there is none; raise `ConfigurationError` for what the kubelet would not read."""
    if content is None or not content.strip():
        return {"apiVersion": API_VERSION, "kind": KIND, "providers": []}
    document = _loaded(content, path)
    if not isinstance(document, dict):
        raise _wrong(path, "must be an object")
    if document.get("kind") != KIND or document.get("apiVersion") not in (API_VERSION, *OLDER):
        raise _wrong(path, f"is not a {KIND} of {API_VERSION}")
    providers = document.get("providers") or []
    if not isinstance(providers, list) or not all(isinstance(each, dict) for each in providers):
        raise _wrong(path, "has providers that are no list of objects")
    return document | {"providers": providers}


def _loaded(content: bytes, path: str) -> object:
    import yaml

    if len(content) > MAX_FILE:
        raise _wrong(path, f"is larger than the {MAX_FILE} bytes allowed")
    try:
        text = content.decode("utf-8")
        depth = 0
        for event in yaml.parse(text, yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_DEPTH:
                raise _wrong(path, "is nested too deeply")
            if isinstance(event, yaml.AliasEvent):
                # They would be gone after a change, and a few of them can stand for a million entries.
                raise _wrong(path, "has aliases (*name), which would not survive a change")
        return yaml.safe_load(text)
    except UnicodeDecodeError:
        raise _wrong(path, "is not UTF-8") from None
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise _wrong(path, f"is not YAML{where}") from None


def _wrong(path: str, complaint: str) -> ConfigurationError:
    return ConfigurationError(f"{printable(path)} {complaint}", file=path, hint="it was left as it is; correct or remove it")


def with_provider(content: bytes | None, path: str, provider: Fields) -> bytes:
    """*content* with *provider* in the place of the one of its name, or behind all others."""
    document = parsed(content, path)
    names = [each.get("name") for each in document["providers"]]
    at = names.index(provider["name"]) if provider["name"] in names else len(names)
    return _changed(content, document, at, provider)


def without_provider(content: bytes, path: str, name: str) -> bytes:
    """*content* without the provider *name*, which is there."""
    document = parsed(content, path)
    at = [each.get("name") for each in document["providers"]].index(name)
    return _changed(content, document, at, None)


def _changed(content: bytes | None, document: Fields, at: int, provider: Fields | None) -> bytes:
    """The provider number *at* replaced, cut out (None), or, where there is none, added."""
    import yaml

    others = document["providers"]
    wanted = document | {"providers": [*others[:at], *([provider] if provider else []), *others[at + 1 :]]}
    text = content.decode() if content and content.strip() else ""
    if text:
        lines = _edited(text, at, provider)
        if lines is not None and yaml.safe_load(lines) == wanted:
            return lines.encode()
    if text.lstrip().startswith("{"):
        return (json.dumps(wanted, indent=2, ensure_ascii=False) + "\n").encode()
    # Written anew: a file of ours, or one that is laid out in a way of its own.
    return _dumped(wanted).encode()


def _edited(text: str, at: int, provider: Fields | None) -> str | None:
    """*text* changed by whole lines, so that comments stay; None where the list is not laid out so."""
    import yaml

    root: Any = yaml.compose(text, yaml.SafeLoader)
    found = [value for key, value in root.value if key.value == "providers"]
    if len(found) != 1 or not isinstance(found[0], yaml.SequenceNode) or found[0].flow_style or not found[0].value:
        return None
    items, lines = found[0].value, text.splitlines(keepends=True)
    starts = [item.start_mark.line for item in items]
    dashes = [re.match(r"( *)- +\S", lines[line]) for line in starts]
    if any(dash is None for dash in dashes) or len(set(starts)) != len(starts):
        return None
    new = _item(provider, dashes[0][1]) if provider else []  # type: ignore[index]  # none of them is None
    if at < len(items):
        begin, end = starts[at], _last_line(items[at]) + 1
    else:
        begin = end = _last_line(items[-1]) + 1
    if begin and not lines[begin - 1].endswith("\n"):
        lines[begin - 1] += "\n"
    return "".join((*lines[:begin], *new, *lines[end:]))


def _item(provider: Fields, indent: str) -> list[str]:
    said = _dumped([provider]).splitlines(keepends=True)
    return [f"{indent}{line}" for line in said]


def _last_line(node: Any) -> int:  # noqa: ANN401 - a node of yaml's, which has no types
    """The line on which the last thing in *node* ends; a block's own end is where the next thing begins, comments behind it included."""
    inner = (
        [each for pair in node.value for each in (pair if isinstance(pair, tuple) else (pair,))] if not isinstance(node.value, str) else []
    )
    if not inner or node.flow_style:
        end = node.end_mark
        return int(end.line if end.column else end.line - 1)
    return max(map(_last_line, inner))


def _dumped(document: object) -> str:
    from registryauth.exports.yaml_text import yaml_text

    # The kubelet's reader takes 1e3 for a number, and then refuses it as a text.
    return yaml_text(document, ascii_only=False)
