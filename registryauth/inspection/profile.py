"""Requirement profiles: named lists of rules, ours with their sources, and the user's own."""

from __future__ import annotations

from collections.abc import Mapping

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.config import ProfileSettings
from registryauth.errors import ConfigurationError
from registryauth.inspection.rule import FACTS, Rule

_HOW_TO = "Microsoft, 'Deploy a model using a custom Docker base image', "
_TRAINING = "Microsoft, 'Train a model by using a custom Docker image' (SDK v1), "

#: What Azure Machine Learning's pages asked of a custom base image, and when. Its v2 pages have no such list.
_BUILT_IN: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "azureml-2019": (
        _HOW_TO + "August 2019 to March 2020",
        {"image_type": "docker or oci", "os": "Ubuntu 16.04+", "conda": "4.5.#+", "python": "3.5.# or 3.6.#"},
    ),
    "azureml-2020": (
        _HOW_TO + "from mid 2020",
        {"image_type": "docker or oci", "os": "Ubuntu 16.04+", "conda": "4.5.#+", "python": "3.6+"},
    ),
    "azureml-2021": (
        _TRAINING + "2021 to 2023",
        {"image_type": "docker or oci", "os": "Ubuntu 18.04+", "conda": "4.7.#+", "python": "3.7+", "shell": "/bin/sh"},
    ),
}
BUILT_IN = tuple(_BUILT_IN)


class Profile(Value):
    """Rules that an image must all meet; *source* says who asks for that."""

    name: str
    rules: tuple[Rule, ...]
    source: str = ""

    @classmethod
    def of(cls, name: str, rules: Mapping[str, str], source: str = "") -> Profile:
        """The profile of *rules*, fact to requirement; raise `ConfigurationError` for what the grammar does not know."""
        if not rules:
            raise ConfigurationError(f"the profile {printable(name)} has no rules", hint=f"a rule is one of {', '.join(FACTS)}")
        return cls(name, tuple(_rule(name, fact, rules[fact]) for fact in _ordered(name, rules)), source)


def profile_named(name: str, own: Mapping[str, ProfileSettings] | None = None) -> Profile:
    """The profile *name*, ours or one of the user's *own*; raise `ConfigurationError` if there is none, or it cannot be read."""
    own = own or {}
    for taken in sorted(own.keys() & _BUILT_IN.keys()):
        raise own[taken].place.replace(key=f'profiles."{taken}"').error("has the name of a profile of ours", "give yours another name")
    if name in _BUILT_IN:
        source, rules = _BUILT_IN[name]
        return Profile.of(name, rules, source)
    if name not in own:
        raise ConfigurationError(
            f"there is no profile {printable(name, 80)}",
            hint=f'known: {", ".join([*BUILT_IN, *sorted(own)])}; yours stand in config.toml under [profiles."name"]',
        )
    return _from_settings(name, own[name])


def _from_settings(name: str, said: ProfileSettings) -> Profile:
    rules = []
    for fact in FACTS:
        if fact in said.rules:
            try:
                rules.append(Rule.parse(fact, said.rules[fact]))
            except ValueError as error:
                raise said.places[fact].error(str(error), "docs/image-check.md has the grammar") from None
    if not rules:
        raise said.place.replace(key=f'profiles."{name}"').error("has no rules", f"a rule is one of {', '.join(FACTS)}")
    return Profile(name, tuple(rules), said.source or said.place.file)


def _ordered(name: str, rules: Mapping[str, str]) -> list[str]:
    for fact in rules:
        if fact not in FACTS:
            raise ConfigurationError(
                f"the profile {printable(name)} has a rule for {printable(fact)}", hint=f"a rule is one of {', '.join(FACTS)}"
            )
    return [fact for fact in FACTS if fact in rules]


def _rule(name: str, fact: str, text: str) -> Rule:
    try:
        return Rule.parse(fact, text)
    except ValueError as error:
        raise ConfigurationError(f"the profile {printable(name)}: {fact} {error}", hint="docs/image-check.md has the grammar") from None
