"""YAML that means the same to every reader.

PyYAML quotes what YAML 1.1 would take for something else than text; Go's readers follow YAML 1.2 in part, so that they take
``1e3`` for a number, and older ones ``y`` for a truth value (yaml.v2 ``resolve.go``). Here plain words stand alone and everything
else is quoted.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: What begins with a letter is no number, and without a space or one of YAML's indicators it is no structure.
_PLAIN = re.compile(r"[$.]?[A-Za-z][A-Za-z0-9_./-]*(?::[A-Za-z0-9_./-]+)*")
#: In any case; what else has a meaning in some version of YAML.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", ".inf", ".nan"})


def yaml_text(document: Mapping[str, Any]) -> str:
    """*document* in YAML, in the order of its fields, in ASCII."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')

    Dumper.add_representer(str, represent)
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, width=1_000_000)
