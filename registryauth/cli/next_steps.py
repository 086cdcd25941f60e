"""What a person has to do, after a login, for docker and podman to use it."""

from __future__ import annotations

from collections.abc import Iterator

from registryauth.cli.session import Session
from registryauth.errors import Error
from registryauth.reference import Repository
from registryauth.resolver import Found
from registryauth.stores.principal import Principal


def shadowed(session: Session, principal: Principal) -> Iterator[str]:
    """A warning where another source, asked before our store, has a credential for the same registry."""
    with session.resolver() as resolver:
        try:
            answers = resolver.answers(Repository(principal.address.registry, principal.address.path))
        except Error as error:
            yield f"warning: {error}"
            return
    if answers and isinstance(answers[-1], Found) and answers[-1].source != "store":
        yield f"warning: {answers[-1].source} is asked before the store and has a credential for this registry: {answers[-1].detail}"


def use_it(session: Session, principal: Principal) -> Iterator[str]:
    """How docker, podman and skopeo come to use the credential."""
    address = principal.address
    if address.path:
        yield f"docker asks for whole registries only; for this path: registryauth resolve {address}/IMAGE --format containers-auth"
        return
    from registryauth.setup import containers, docker

    missing = []
    for name, target in (("docker", docker), ("containers", containers)):
        try:
            change = target.plan([address], session.environ)
        except Error as error:
            yield f"warning: {error}"
            continue
        if change.needed:
            missing.append(name)
        else:
            yield f"{'docker' if name == 'docker' else 'podman and skopeo'} will use it."
    if "docker" in missing:
        yield f"To let docker use it: registryauth setup docker {address.registry}"
    if "containers" in missing:
        yield f"To let podman and skopeo use it: registryauth setup containers {address.registry}"
