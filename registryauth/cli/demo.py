"""``registryauth demo``."""

from __future__ import annotations

from registryauth.cli.app import single


def demo() -> None:
    """Show the whole road on this machine: a registry, a principal, a pull secret, a manifest, a blob, docker's helper."""
    from registryauth.demo import tour

    for number, step in enumerate(tour(), 1):
        print(f"{number}. {step.title}")
        print(f"   $ {step.command}")
        for line in step.output.splitlines():
            print(f"     {line}")
        print(flush=True)
    print("All of it was verified. Next: registryauth login YOUR-REGISTRY")


app = single(demo)
