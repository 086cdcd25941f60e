"""Azure, simulated, and who we are there."""

from __future__ import annotations

import os

import pytest

from registryauth.azure.settings import Settings
from registryauth.azure.sign_in import sign_in
from registryauth.azure.tokens import Tokens
from registryauth.azure.wire import Wire
from registryauth.config import load
from registryauth.testing.azure import AzureSimulator


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def azure(clock):
    return AzureSimulator(clock=clock)


@pytest.fixture
def app(azure):
    """An application of the subscription's tenant."""
    return azure.home.app("deploy")


@pytest.fixture
def wire(azure):
    """Both ways lead to the simulator."""
    return Wire(azure.transport(), azure.transport())


@pytest.fixture
def environ(azure, app, home):
    """An environment in which the application signs in with its secret, `app.secrets[0]`."""
    app.add_secret(value="canary~secret")
    variables = {"AZURE_TENANT_ID": azure.home.id, "AZURE_CLIENT_ID": app.app_id, "AZURE_CLIENT_SECRET": "canary~secret"}
    return {"HOME": str(home), "PATH": ""} | variables


@pytest.fixture
def config(home, tmp_path):
    """The settings of an environment, and of flags."""

    def config(environ=None, **flags):
        environ = {"HOME": str(home)} if environ is None else environ
        return load(environ, flags={key.replace("__", "."): value for key, value in flags.items()}, system_file=str(tmp_path / "none"))

    return config


@pytest.fixture
def tokens_of(azure, environ, wire, clock):
    """Makes the tokens of an application, by its first secret."""

    def tokens_of(app):
        said = Settings(azure.cloud, "client-secret", azure.home.id, app.app_id, client_secret=app.secrets[0].value)
        return Tokens(sign_in(said, wire, environ, clock=clock, sleep=lambda _: None), clock)

    return tokens_of


@pytest.fixture
def tokens(app, environ, tokens_of):
    """The application's tokens, by its secret."""
    return tokens_of(app)


@pytest.fixture
def az(tmp_path):
    """Make a program ``az`` of the lines of a shell script; gives the PATH that finds it."""

    def az(script):
        directory = tmp_path / "bin"
        directory.mkdir(exist_ok=True)
        program = directory / "az"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return os.pathsep.join((str(directory), os.environ["PATH"]))

    return az


def told(request):
    """What a request asks, without its secrets."""
    return f"{request.method} {request.url.redacted}"


@pytest.fixture
def asked(azure):
    """Each request so far, as method and address without the query."""
    return lambda: [told(request) for request in azure.requests]
