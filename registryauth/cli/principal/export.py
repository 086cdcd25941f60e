"""``registryauth principal export``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Account, Misuse, OutputFile

FORMATS = ("bundle", "csv", "toml")


def export(
    addresses: Annotated[
        list[str] | None, typer.Argument(metavar="[REGISTRY[/PATH]...]", help="Only what is registered there, and below; else everything.")
    ] = None,
    output_file: OutputFile = "",
    form: Annotated[
        str, typer.Option("--format", metavar="NAME", help="bundle, which is encrypted; csv or toml, which are not.")
    ] = "bundle",
    show_secret: Annotated[bool, typer.Option("--show-secret", help="Allow csv and toml: the secrets in plain text.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over an output file that is there.")] = False,
    account: Account = "",
) -> None:
    """Write principals with their secrets to an encrypted bundle. 'principal import' reads it elsewhere.

    The passphrase is asked for twice, or taken from REGISTRYAUTH_BUNDLE_PASSPHRASE.
    """
    import os
    import time

    from registryauth.cli.console import is_terminal, say
    from registryauth.cli.principal.bundle_passphrase import bundle_passphrase
    from registryauth.cli.session import Session
    from registryauth.errors import Error
    from registryauth.principals.bundle import write_bundle
    from registryauth.principals.exporting import select
    from registryauth.principals.plain_list import write_list

    if form not in FORMATS:
        raise Misuse(f"--format is one of {', '.join(FORMATS)}")
    if form != "bundle" and not show_secret:
        raise Misuse(
            f"{form} holds the secrets in plain text: say --show-secret if that is meant, or leave --format out for an encrypted bundle"
        )
    if form == "bundle" and not output_file and is_terminal(sys.stdout):
        raise Misuse("a bundle is no text for a terminal: use --output-file, or a pipe")
    if output_file and not force and os.path.lexists(output_file):
        # Before anybody types a passphrase; the writing itself looks again.
        raise _there(output_file)
    session, now = Session(), time.time()
    wanted = [session.address(text, wildcard=text.startswith("*.")) for text in addresses or []]
    with session.store() as store:
        records = select(store, wanted, account)
        plain = form != "bundle"
        disabled = [record for record in records if plain and record.disabled_at]
        records = [record for record in records if record not in disabled]
        if not records:
            raise Error("all of them are disabled, which a list cannot say", hint="export a bundle, or enable one first")
        if plain:
            data = write_list(records, form, now).encode()
        else:
            data = write_bundle(records, bundle_passphrase(new=True, environ=session.environ), now)
        # Written down before it leaves: afterwards nobody could say that it did.
        store.note("exported", count=len(records), detail=f"{form} {output_file or 'standard output'}")
    _write(data, output_file, force=force)
    for record in disabled:
        say(f"left out {record.address}: it is disabled, which a list cannot say")
    where = f" to {output_file}" if output_file else ""
    how = "in plain text; delete it as soon as it has been read" if plain else "encrypted; nobody can open it without the passphrase"
    say(f"Wrote {len(records)} principal{'' if len(records) == 1 else 's'}{where}, {how}.")


def _there(path: str) -> Exception:
    from registryauth._redact import printable
    from registryauth.errors import ConfigurationError

    return ConfigurationError(f"{printable(path)} exists", file=path, hint="name another file, or write over it with --force")


def _write(data: bytes, path: str, *, force: bool) -> None:
    if not path:
        # As into the file: UTF-8 whatever the locale, for a secret is bytes to whoever reads it.
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    from registryauth._paths import write_private
    from registryauth.errors import Error, StoreUnavailable

    try:
        write_private(path, data, replace=force)
    except FileExistsError:
        raise _there(path) from None
    except StoreUnavailable as error:
        # It is not the store that failed, and the exit status must not say so.
        raise Error(str(error), hint=error.hint) from error


app = single(export)
