"""``registryauth image facts``."""

from __future__ import annotations

from registryauth.cli.app import single
from registryauth.cli.image.document import PlatformOption, QuickOption
from registryauth.cli.options import Access, Output, OutputOption, ReferenceArgument


def facts(
    reference: ReferenceArgument,
    platform: PlatformOption = "",
    quick: QuickOption = False,
    output: OutputOption = Output.TABLE,
    *,
    access: Access,
) -> None:
    """Show an image's type, system, conda, Pythons and shell. All that requirements can be about; it reads every layer."""
    from registryauth.cli.console import say, show
    from registryauth.cli.fetch import fetching
    from registryauth.cli.image.document import data, finding_data, found, how_much, where
    from registryauth.content.descriptor import Platform
    from registryauth.inspection import survey
    from registryauth.inspection.limits import QUICK

    # Before anything is fetched.
    wanted = Platform.parse(platform) if platform else None
    with fetching(reference, access) as (parsed, repository):
        report = survey(repository, parsed, platform=wanted, limit=QUICK if quick else None)
    document = data(report) | {"facts": [{"fact": each.fact, **finding_data(each)} for each in report.findings]}
    rows = [(each.fact, found(each), each.status, where(each)) for each in report.findings]
    show(output, document, ("FACT", "FOUND", "STATUS", "LAYER"), rows)
    say(how_much(report))


app = single(facts)
