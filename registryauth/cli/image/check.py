"""``registryauth image check``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.image.document import PlatformOption, QuickOption
from registryauth.cli.options import Access, Output, OutputOption, ReferenceArgument


def check(
    reference: ReferenceArgument,
    profile: Annotated[
        str, typer.Option("--profile", metavar="NAME", help="azureml-2019, azureml-2020, azureml-2021, or one of yours in config.toml.")
    ],
    platform: PlatformOption = "",
    quick: QuickOption = False,
    output: OutputOption = Output.TABLE,
    *,
    access: Access,
) -> None:
    """Hold an image to a list of requirements. Without running or pulling it; exit status 7 unless it surely meets them."""
    from registryauth.cli.console import say, show
    from registryauth.cli.fetch import fetching
    from registryauth.cli.image.document import data, finding_data, found, how_much, where
    from registryauth.cli.session import Session
    from registryauth.content.descriptor import Platform
    from registryauth.inspection import check as hold
    from registryauth.inspection import profile_named
    from registryauth.inspection.limits import QUICK

    # Before anything is fetched.
    asked = profile_named(profile, Session().config.profiles)
    wanted = Platform.parse(platform) if platform else None
    with fetching(reference, access) as (parsed, repository):
        report = hold(repository, parsed, asked, platform=wanted, limit=QUICK if quick else None)
    document = data(report) | {
        "profile": {"name": report.profile, "source": report.source or None},
        "met": report.met,
        "rules": [{"rule": each.fact, "required": each.required, **finding_data(each)} for each in report.findings],
    }
    rows = [(each.fact, each.required, found(each), each.status, where(each)) for each in report.findings]
    show(output, document, ("RULE", "REQUIRED", "FOUND", "STATUS", "LAYER"), rows)
    say(how_much(report))
    report.raise_unless_met()


app = single(check)
