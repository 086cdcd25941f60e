"""What a user's type checker is to see. Read by mypy (``mypy tests/typing/api.py``), never run."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import httpx

from registryauth import (
    Address,
    Anonymous,
    AsyncClient,
    Basic,
    Client,
    Digest,
    Error,
    IdentityToken,
    Kind,
    PullSecret,
    Reference,
    Registry,
    RegistryAuth,
    RegistryToken,
    Repository,
    Resolver,
    errors,
    exports,
    kind_of,
    resolve,
)
from registryauth.content.descriptor import Descriptor
from registryauth.content.manifest import Index, Manifest
from registryauth.credentials import Credential, Pinned
from registryauth.exports import Document
from registryauth.principals import Registration, Verification, forget, register, verify
from registryauth.registries import Classification
from registryauth.stores import Key, Principal, Slot, Store, open_store
from registryauth.stores.memory import MemoryStore
from registryauth.testing import AzureSimulator, RegistrySimulator, ServedRegistry


def references() -> None:
    reference = Reference.parse("myregistry.azurecr.io/myimage:v1")
    assert_type(reference, Reference)
    assert_type(reference.registry, Registry)
    assert_type(reference.repository, Repository)
    assert_type(reference.tag, str | None)
    assert_type(reference.digest, Digest | None)
    assert_type(reference.target, str)
    assert_type(reference.replace(tag="v2"), Reference)
    assert_type(Address.parse("myregistry.azurecr.io/team").covers(reference.repository), bool)
    assert_type(kind_of(reference), Classification)
    assert_type(kind_of(reference, {"myregistry.azurecr.io": Kind.WORKSPACE}).kind, Kind)
    reference.tag = "v3"  # type: ignore[misc]
    Reference.parse(b"bytes")  # type: ignore[arg-type]


def resolving() -> None:
    assert_type(resolve("myregistry.azurecr.io/myimage:v1"), PullSecret)
    assert_type(resolve(Reference.parse("myregistry.azurecr.io/myimage"), account="ci", environ={}).credential, Credential)
    resolve()  # type: ignore[call-arg]
    with Resolver.from_config(explicit={"registry.example": Basic("me", "secret")}) as resolver:
        assert_type(resolver, Resolver)
        secret = resolver.resolve("myregistry.azurecr.io/myimage:v1")
        assert_type(secret, PullSecret)
        assert_type(secret.kind, Kind)
        assert_type(secret.credential, Credential)
        assert_type(secret.source, str)
        assert_type(secret.expires_at, int)
        assert_type(secret.explain(), str)
        assert_type(resolver.candidates(secret.reference.repository), tuple[Pinned, ...])
        assert_type(exports.docker_config.export([secret]), Document)
        assert_type(exports.environment.export([secret]).text, str)
        secret.source = "mine"  # a plain attribute


def credentials(credential: Credential) -> str:
    # Exhaustive: mypy complains about the missing return if a kind is left out.
    match credential:
        case Basic(username, password):
            return username + password
        case IdentityToken(token) | RegistryToken(token):
            return token
        case Anonymous():
            return ""


def fetching(resolver: Resolver, directory: Path) -> None:
    with Client(resolver.candidates, insecure=["registry.example:5000"], ca_files={"*": "ca.pem"}) as client:
        assert_type(client, Client)
        repository = client.repository("myregistry.azurecr.io/myimage")
        manifest = repository.manifest("v1", platform="linux/amd64")
        assert_type(manifest, Manifest | Index)
        assert isinstance(manifest, Manifest)
        assert_type(manifest.layers, tuple[Descriptor, ...])
        for layer in manifest.layers:
            assert_type(layer.digest.encoded, str)
            assert_type(repository.download(layer, to=directory / layer.digest.encoded), int)
        assert_type(repository.head("v1"), Descriptor)


async def fetching_async(resolver: Resolver, directory: Path) -> None:
    async with AsyncClient(resolver.candidates) as client:
        assert_type(client, AsyncClient)
        repository = client.repository("myregistry.azurecr.io/myimage")
        manifest = await repository.manifest("v1", platform="linux/amd64")
        assert isinstance(manifest, Manifest)
        await repository.download(manifest.layers[0], to=directory / "layer")


def with_httpx(resolver: Resolver) -> None:
    httpx.Client(auth=RegistryAuth(resolver.candidates))
    httpx.AsyncClient(auth=RegistryAuth(resolver.candidates))


def storing() -> None:
    store: Store = MemoryStore()
    store = open_store()
    address = Address.parse("registry.example")
    record = store.put(Principal(address, "me", (Slot("secret"),), kind="robot"), if_revision=0)
    assert_type(record, Principal)
    assert_type(record.credential(0.0), Credential)
    assert_type(store.get(address), Principal | None)
    assert_type(store.exact(Key(address, "me")), Principal | None)
    assert_type(store.delete(record.key, record.revision), bool)
    assert_type(forget(store, address), list[Principal])
    done = register(store, address, "me", "secret", Client, made_by="admin", notes={"owner": "me"})
    assert_type(done, Registration)
    assert_type(done.verification, Verification | None)
    assert_type(verify(address, Basic("me", "secret"), Client).granted, tuple[str, ...] | None)
    Principal(address, "me", ("secret",))  # type: ignore[arg-type]
    Principal(address)  # type: ignore[call-arg]


def failing() -> str:
    try:
        Resolver.from_config().resolve("x")
    except errors.CredentialNotFound as error:
        assert_type(error.trace, tuple[str, ...])
        return error.hint
    except errors.RegistryError as error:
        assert_type(error.status, int)
        return error.message
    except Error as error:
        assert_type(error.exit_code, int)
        return error.hint
    return ""


def testing() -> None:
    simulator = RegistrySimulator(auth="token", accounts={"me": "secret"})
    assert_type(simulator.add_image("team/model", "v1"), Digest)
    with simulator.serve() as host:
        assert_type(host, str)
    Client(transport=simulator.transport())


def fixtures(registry_simulator: ServedRegistry, azure_simulator: AzureSimulator) -> None:
    assert_type(registry_simulator.address, str)
    assert_type(registry_simulator.credential, Basic)
    assert_type(registry_simulator.accounts, dict[str, str])
    with ServedRegistry.served() as registry:
        assert_type(registry, ServedRegistry)
    Client(transport=azure_simulator.transport())
