"""``registryauth config``."""

from __future__ import annotations

from typing import Annotated

import typer

from registryauth.cli.app import group
from registryauth.cli.options import Output, OutputOption

app = group("Show settings and where they come from.")


@app.command()
def show(
    origin: Annotated[bool, typer.Option("--origin", help="Say who set each value.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show every setting that holds."""
    from registryauth.cli import console
    from registryauth.cli.session import Session

    settings = Session().config.describe()
    data = {"version": 1, "settings": [{"key": key, "value": value, "origin": whence} for key, value, whence in settings]}
    columns = ("KEY", "VALUE", "ORIGIN") if origin else ("KEY", "VALUE")
    console.show(output, data, columns, [row if origin else row[:2] for row in settings])


@app.command()
def path() -> None:
    """Print where the configuration file is, or would be."""
    import os

    from registryauth.config import user_file

    print(user_file(os.environ))


@app.command()
def init() -> None:
    """Write a configuration file that documents every key. It changes nothing; an existing one stays."""
    import os

    from registryauth._paths import private_dir, write_private
    from registryauth.cli.console import say
    from registryauth.config import example, user_file
    from registryauth.errors import ConfigurationError

    target = user_file(os.environ)
    if os.path.lexists(target):
        raise ConfigurationError(f"{target} is there already", file=target, hint="it was left as it is")
    private_dir(os.path.dirname(os.path.abspath(target)))
    write_private(target, example())
    say(f"Wrote {target}.")
