"""``registryauth demo``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import single

_AZURE = (
    "The road through Azure, in the order of Azure ML's how-to: workspace registry, image build, requirements, service principal, "
    "deploy files, rotation. Azure is simulated in this very process; nothing reaches the real one."
)


def demo(azure: Annotated[bool, typer.Option("--azure", help=_AZURE)] = False) -> None:
    """Show the whole road on this machine. A registry, a principal, a pull secret, a manifest, a blob, docker's helper.

    Every step runs the command that it shows, in a home directory of its own; yours is not touched, and no network is needed.
    """
    if azure:
        from registryauth.demo.azure_tour import tour
    else:
        from registryauth.demo.registry_tour import tour

    for number, step in enumerate(tour(), 1):
        print(f"{number}. {step.title}")
        print(f"   $ {step.command}")
        for line in step.output.splitlines():
            print(f"     {line}".rstrip())
        print(flush=True)
    if azure:
        print("Every command ran; Azure was simulated. Next: registryauth azure acr login YOUR-REGISTRY")
    else:
        print("All of it was verified. Next: registryauth login YOUR-REGISTRY")


app = single(demo)
