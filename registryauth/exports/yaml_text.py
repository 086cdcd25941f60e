"""YAML that means the same to every reader.

PyYAML quotes what YAML 1.1 would take for something else than text; Go's readers follow YAML 1.2 in part, so that they take
``1e3`` for a number, and older ones ``y`` for a truth value (yaml.v2 ``resolve.go``). Here plain words stand alone and everything
else is quoted.
"""

from __future__ import annotations

import re

#: Without a space or one of YAML's indicators it is no structure. What begins with a letter or a slash is no number, and neither is
#: what has a slash in it, or a letter that stands in no number and no date.
_PLAIN = re.compile(r"(?:[$.]?[A-Za-z]|/|(?=[^/g-npsu-wyG-NPSU-WY]*[/g-npsu-wyG-NPSU-WY])[0-9])[A-Za-z0-9_./-]*(?::[A-Za-z0-9_./-]+)*")
#: In any case; what else has a meaning in some version of YAML.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", ".inf", ".nan"})


def yaml_text(document: object, *, ascii_only: bool = True) -> str:
    """*document* in YAML, in the order of its fields."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, _: object) -> bool:
            """What stands there twice is written twice; not every reader knows another way."""
            return True

    def represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')

    Dumper.add_representer(str, represent)
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, width=1_000_000, allow_unicode=not ascii_only)
