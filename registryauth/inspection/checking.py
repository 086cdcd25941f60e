"""The two questions to an image: does it meet a profile, and what is known of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from registryauth._redact import printable
from registryauth.client import RepositoryClient
from registryauth.content.descriptor import Platform
from registryauth.digest import Digest
from registryauth.inspection.fact import NO_LAYER, Fact, Sighting
from registryauth.inspection.image import Image, open_image
from registryauth.inspection.layers import Layers
from registryauth.inspection.limits import MAX_PATH
from registryauth.inspection.profile import Profile
from registryauth.inspection.report import Evidence, Finding, LayerRead, Report
from registryauth.inspection.rule import FACTS, UNCONFIRMED, Rule
from registryauth.reference import Reference

FINAL = "final"


def check(
    repository: RepositoryClient,
    reference: str | Digest | Reference,
    profile: Profile,
    *,
    platform: str | Platform | None = None,
    limit: int | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Report:
    """Hold the image *reference* (a tag, a digest, or a reference into *repository*) to *profile*, without running or pulling it.

    Layers are read from the topmost down until every rule's fact is final; each of them is read whole and verified, and nothing is
    written to a disk. *platform* chooses from an index, linux/amd64 if it is not given. With *limit*, at most so many bytes of
    layers are read, and what is not final then is ``unconfirmed``. *pause* is how to wait, in seconds, before a broken connection
    is tried again.

    Raise `NotFound`, `UnsupportedMediaType` for what is no Linux image, `ContentError` for a damaged one, `UnsafeArchive` for one
    that exceeds `inspection.limits`, and the errors of authentication and transport. An image that does not meet the profile
    raises nothing: see `Report.raise_unless_met`.
    """
    return _reported(repository, reference, {rule.fact: rule for rule in profile.rules}, profile, platform, limit, pause)


def survey(
    repository: RepositoryClient,
    reference: str | Digest | Reference,
    *,
    platform: str | Platform | None = None,
    limit: int | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Report:
    """Every fact that a rule can be about, of the image *reference*; otherwise like `check`. It takes every layer."""
    return _reported(repository, reference, dict.fromkeys(FACTS), None, platform, limit, pause)


def _reported(
    repository: RepositoryClient,
    reference: str | Digest | Reference,
    questions: Mapping[str, Rule | None],
    profile: Profile | None,
    platform: str | Platform | None,
    limit: int | None,
    pause: Callable[[float], None],
) -> Report:
    target = reference.target if isinstance(reference, Reference) else str(reference)
    image = open_image(repository, target, Platform.parse(platform) if isinstance(platform, str) else platform)
    layers = Layers(repository, image, limit=limit, pause=pause)
    known = layers.answer(questions)
    rows = zip(image.layers, layers.readings, image.created_by, strict=False)
    return Report(
        f"{repository.repository}{'@' if ':' in target else ':'}{target}",
        image.digest,
        image.manifest,
        image.platform,
        image.kind,
        profile.name if profile else "",
        profile.source if profile else "",
        tuple(_finding(image, name, rule, known[name]) for name, rule in questions.items()),
        tuple(LayerRead(layer.digest, layer.size, reading.came, reading.state, made) for layer, reading, made in rows),
        image.config.size + sum(reading.came for reading in layers.readings),
        image.size,
    )


def _finding(image: Image, name: str, rule: Rule | None, found: Fact) -> Finding:
    status = rule.verdict(found) if rule else FINAL if found.final else UNCONFIRMED
    shown = ", ".join(_shown(name, seen) for seen in found.seen) or ("none" if found.final else "nothing so far")
    return Finding(name, rule.text if rule else "", shown, status, tuple(_evidence(image, seen) for seen in found.seen), found.note)


def _shown(name: str, seen: Sighting) -> str:
    if name == "shell":
        return seen.name if seen.path == seen.name else f"{seen.name} -> {printable(seen.path)}"
    if name in ("conda", "python", "pythons"):
        return seen.version or "a version that it does not show"
    return str(seen)


def _evidence(image: Image, seen: Sighting) -> Evidence:
    in_layer = seen.layer != NO_LAYER
    return Evidence(
        seen.name,
        seen.version,
        printable(seen.path, MAX_PATH),
        image.layers[seen.layer].digest if in_layer else None,
        image.created_by[seen.layer] if in_layer else "",
    )
