"""``verbs.json`` from the verbs themselves."""

from __future__ import annotations

import json
from typing import Any

from registryauth.azure.clouds import CLOUDS

#: What a word is, by what help calls it; brackets and dots around it do not count.
_BY_METAVAR = {
    "REGISTRY[/PATH]": "address",
    "REGISTRY[/REPOSITORY]": "address",
    "REGISTRY": "registry",
    "REFERENCE": "reference",
    "REPOSITORY": "reference",
    "REPOSITORY@DIGEST": "reference",
    "ACCOUNT": "account",
    "HOST": "address",
    "CONTEXT": "files",
    "FILE": "files",
    "FILE[:TYPE]": "files",
    "KEY": "files",
    "DIR": "directories",
    "WORKSPACE": "workspace",
}
#: The same for options that help calls by their type alone.
_BY_NAME = {"--account": "account", "--workspace": "workspace"}
#: Those of a group, by its name.
_BY_GROUP = {("azure", "--cloud"): f"choice:{','.join(cloud.name for cloud in CLOUDS)}", ("azure", "--registry"): "azure-registry"}


def tree(root: Any) -> dict[str, Any]:  # noqa: ANN401 - typer's own class, which it does not export
    """What `verbs.root` reads, of the command *root*."""
    return _described(root, ())


def text(described: dict[str, Any]) -> str:
    """``verbs.json``: one line for each verb, so that a change of one is a change of one line."""
    lines = list(_lines(described, ""))
    return "\n".join(lines) + "\n"


def _lines(verb: dict[str, Any], indent: str) -> list[str]:
    if "verbs" not in verb:
        return [indent + json.dumps(verb, ensure_ascii=False)]
    head = json.dumps({name: value for name, value in verb.items() if name != "verbs"}, ensure_ascii=False)
    lines = [f'{indent}{head[:-1]}, "verbs": {{']
    for number, (name, inner) in enumerate(verb["verbs"].items(), 1):
        first, *rest = _lines(inner, indent + " ")
        block = [f"{indent} {json.dumps(name)}: {first.lstrip()}", *rest]
        block[-1] += "," if number < len(verb["verbs"]) else ""
        lines += block
    return [*lines, f"{indent}}}}}"]


def _described(command: Any, path: tuple[str, ...]) -> dict[str, Any]:  # noqa: ANN401 - as above
    found: dict[str, Any] = {"text": _first_line(command.help or "")}
    shown = [one for one in command.params if one.param_type_name == "option" and not one.hidden]
    found["options"] = [
        [[*one.opts, *one.secondary_opts], _first_line(one.help or ""), _takes(one, path), one.multiple] for one in shown
    ] + [[["--help", "-h"], "Show this message and exit.", "", False]]
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    if arguments:
        found["arguments"] = [_takes(one, path) for one in arguments]
        found["open"] = arguments[-1].nargs == -1
    if hasattr(command, "list_commands"):
        verbs = {name: command.get_command(None, name) for name in command.list_commands(None)}
        found["verbs"] = {name: _described(verb, (*path, name)) for name, verb in verbs.items() if not verb.hidden}
    return found


def _takes(parameter: Any, path: tuple[str, ...]) -> str:  # noqa: ANN401 - as above
    if getattr(parameter, "is_flag", False):
        return ""
    name = parameter.opts[0]
    fixed = _fixed().get((*path, name), ())
    if choices := [str(getattr(choice, "value", choice)) for choice in getattr(parameter.type, "choices", ())] or list(fixed):
        kind = "profile" if name == "--profile" else "choice"
        return f"{kind}:{','.join(choices)}"
    if (*path, name) in _SPECIAL:
        return _SPECIAL[*path, name]
    metavar = (parameter.metavar or "").replace("...", "").strip("[]") if parameter.metavar else ""
    metavar = metavar + "]" if "[" in metavar else metavar
    return _BY_GROUP.get((*path[:1], name)) or _BY_NAME.get(name) or _BY_METAVAR.get(metavar, "none")


#: Words whose names in help say too little.
_SPECIAL = {
    ("pull", "to"): "files",
    ("push", "source"): "files",
    ("copy", "source"): "reference",
    ("copy", "destination"): "reference",
    ("azure", "acr", "login", "name"): "azure-registry",
    ("repository", "list", "--last"): "none",
}


def _fixed() -> dict[tuple[str, ...], tuple[str, ...]]:
    """Values that the verbs check themselves, where they come from."""
    from registryauth.audit.event import EVENTS
    from registryauth.azure.build_request import SOURCE_AUTH
    from registryauth.cli.complete import SHELLS
    from registryauth.cli.principal.export import FORMATS as LISTS
    from registryauth.cli.principal.listing import SORTS
    from registryauth.cli.principal.rotate import SOURCES
    from registryauth.cli.store.rekey import SOURCES as KEYS
    from registryauth.config.keys import BACKENDS, CREDENTIALS
    from registryauth.exports import FORMATS
    from registryauth.inspection.profile import BUILT_IN
    from registryauth.principals.sources import FORMS
    from registryauth.stores.principal import KINDS

    return {
        ("azure", "acr", "build", "--source-auth"): SOURCE_AUTH,
        ("audit", "show", "--event"): tuple(EVENTS),
        ("azure", "acr", "login", "--credential"): tuple(CREDENTIALS),
        ("completion", "shell"): SHELLS,
        ("image", "check", "--profile"): BUILT_IN,
        ("principal", "add", "--kind"): tuple(KINDS),
        ("principal", "export", "--format"): LISTS,
        ("principal", "import", "--from"): FORMS,
        ("principal", "import", "--made-by"): ("admin", "login"),
        ("principal", "list", "--kind"): tuple(KINDS),
        ("principal", "list", "--sort"): SORTS,
        ("principal", "rotate", "--source"): SOURCES,
        ("resolve", "--format"): tuple(FORMATS),
        ("store", "migrate", "--to"): tuple(BACKENDS),
        ("store", "rekey", "--key"): KEYS,
    }


def _first_line(said: str) -> str:
    return " ".join(said.partition("\n\n")[0].split())
