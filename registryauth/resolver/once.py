"""One reference, one pull secret: for scripts and deploy tools that ask once."""

from __future__ import annotations

from registryauth.resolver import Resolver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from registryauth.reference import Reference
    from registryauth.resolver import PullSecret


def resolve(reference: Reference | str, *, account: str | None = None, environ: Mapping[str, str] | None = None) -> PullSecret:
    """The pull secret for *reference*, by this machine's configuration; its credential is fetched, and nothing is left open.

    With *account* only that account's credentials count. *environ* is the process's own unless given. Each call opens the store
    anew: who resolves many images, or needs no credential to be fetched, keeps a `Resolver`.

    Raise what `Resolver.resolve` does, `CredentialError` where the credential is there and cannot be had, and
    `ConfigurationError`.
    """
    with Resolver.from_config(environ=environ, account=account) as resolver:
        secret = resolver.resolve(reference)
        # Some sources fetch through what is closed below.
        _ = secret.pinned
        return secret
