"""A command that a hint names, for one principal and no other."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.stores.principal import Key


def command(verb: str, key: Key, where: str = "") -> str:
    """``registryauth VERB`` for the principal *key*, or *where* it is to be looked at, ready to be pasted into a shell.

    The account is always named: a place may have several, or get another before the command is run. One that cannot be
    shown in a line is left out.
    """
    import shlex

    account = f" --account {shlex.quote(key.account)}" if key.account.isprintable() else ""
    return f"registryauth {verb} {shlex.quote(where or str(key.address))}{account}"
