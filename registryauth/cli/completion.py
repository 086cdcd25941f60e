"""``registryauth completion``."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.complete import SHELLS
from registryauth.cli.options import Misuse


def completion(shell: Annotated[str, typer.Argument(metavar="SHELL", help=f"One of {', '.join(SHELLS)}.")]) -> None:
    """Print the script that makes TAB complete, for a shell. Verbs, options, registries and accounts; it writes into no file of yours.

    bash: source <(registryauth completion bash). zsh: source <(registryauth completion zsh), after compinit. fish: registryauth
    completion fish | source. PowerShell: registryauth completion powershell | Out-String | Invoke-Expression. In a shell's start-up
    file, that line does it for good.
    """
    if shell not in SHELLS:
        raise Misuse(f"there is no completion for {shell!a}: {', '.join(SHELLS)}")
    place = os.path.join(os.path.dirname(__file__), "complete", f"registryauth.{shell}")
    with open(place, encoding="utf-8") as file:
        sys.stdout.write(file.read())


app = single(completion)
