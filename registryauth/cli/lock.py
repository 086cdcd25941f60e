"""``registryauth lock``."""

from __future__ import annotations

from registryauth.cli.app import single


def lock() -> None:
    """Forget what `unlock` keeps, of every store of this user."""
    from registryauth.azure import vault_token
    from registryauth.cli.console import say
    from registryauth.cli.session import Session
    from registryauth.stores import from_config, unlocked

    session = Session()
    try:
        # While the log's key is still at hand; nobody is asked for a passphrase in order to lock.
        if unlocked.there(session.environ):
            from_config(session.config, session.environ, purpose="lock", azure_token=vault_token).note("locked")
    finally:
        count = unlocked.forget(session.environ)
    say("Locked." if count else "Nothing was unlocked.")


app = single(lock)
