"""An inspection's report as it is printed."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from registryauth.inspection import Evidence, Finding, Report

#: Characters of a digest, and of the command that made a layer, in a table; JSON and YAML have all of them.
_DIGEST, _COMMAND = 19, 60

PlatformOption = Annotated[
    str, typer.Option("--platform", metavar="OS/ARCH", help="Which image of an index; linux/amd64 if it is not given.")
]
QuickOption = Annotated[bool, typer.Option("--quick", help="Read 32 MiB of layers at most, and call unconfirmed what they do not settle.")]


def data(report: Report) -> dict[str, Any]:
    """What every form of *report* has in JSON and YAML; the findings are the verb's to name."""
    return {
        "version": 1,
        "reference": report.reference,
        "digest": str(report.digest),
        "manifest": str(report.manifest),
        "platform": str(report.platform),
        "image_type": report.image_type,
        "read": {"bytes": report.read, "of": report.size},
        "layers": [
            {"digest": str(each.digest), "size": each.size, "read": each.read, "state": each.state, "created_by": each.created_by or None}
            for each in report.layers
        ],
    }


def finding_data(finding: Finding) -> dict[str, Any]:
    """What was found on one fact, with the evidence for it."""
    return {
        "found": finding.found,
        "status": finding.status,
        "note": finding.note or None,
        "evidence": [
            {
                "name": each.name,
                "version": each.version or None,
                "path": each.path or None,
                "layer": str(each.layer) if each.layer else None,
                "created_by": each.created_by or None,
            }
            for each in finding.evidence
        ],
    }


def found(finding: Finding) -> str:
    """What was found, for a table's cell."""
    return f"{finding.found} ({finding.note})" if finding.note else finding.found


def where(finding: Finding) -> str:
    """The layer that says so, shortened, and what made it, for a table's cell."""
    return ", ".join(dict.fromkeys(_layer(each) for each in finding.evidence))


def _layer(evidence: Evidence) -> str:
    if evidence.layer is None:
        return "the image's own description"
    command = evidence.created_by if len(evidence.created_by) <= _COMMAND else evidence.created_by[: _COMMAND - 1] + "…"
    return f"{str(evidence.layer)[:_DIGEST]} {command}".rstrip()


def how_much(report: Report) -> str:
    """How many bytes this rests on, and what of them was verified."""
    whole = sum(each.state == "verified" for each in report.layers)
    part = sum(each.state not in ("verified", "not read") for each in report.layers)
    some = f", {part} in part, which is not verified" if part else ""
    of = f"{len(report.layers)} layer{'' if len(report.layers) == 1 else 's'}"
    return f"Read {_bytes(report.read)} of {_bytes(report.size)}: {whole} of {of} whole and verified{some}."


def _bytes(count: int) -> str:
    for unit, size in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
