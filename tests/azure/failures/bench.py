"""A registry of Azure with nothing wrong, the command line before it, and whatever a failure needs to be provoked."""

from __future__ import annotations

import os
import time

from registryauth.diagnosis.network import Certificate, Found, Handshake
from registryauth.errors import TransportError
from registryauth.reference import Address
from registryauth.stores import Principal, Slot, open_store
from registryauth.testing.azure import AzureSimulator

#: In each secret there is: nothing that a command prints may hold it.
CANARY = "canary-8d1f"
CLIENT_ID = "0f5c2f6e-0000-4000-8000-000000000002"
HOST = "myregistry.azurecr.io"
IMAGE = f"{HOST}/team/model:v1"
DAY = 86400


class Line:
    """A connection."""

    def getpeername(self):
        return ("20.50.0.1", 443)

    def close(self):
        pass


class PlainNetwork:
    """What lies below HTTP: every name is *found*, every connection made, but for hosts in *lost*, *dropping* or *refusing*."""

    def __init__(self):
        self.found = {}
        self.lost, self.refusing, self.dropping = set(), set(), set()

    def addresses(self, host, port):
        if host in self.lost:
            raise TransportError(
                f"{host} cannot be found: Name or service not known", hint="is the name right, and can this machine ask a name server?"
            )
        return self.found.get(host, Found(("20.50.0.1",), host))

    def connect(self, origin, proxy):
        if origin.hostname in self.refusing:
            raise TransportError(f"{origin} refuses connections", hint="nothing listens there: is the port right, and the server up?")
        if origin.hostname in self.dropping:
            raise TransportError(f"{origin} did not answer within 10 seconds", hint="a firewall drops what is sent there, or it is down")
        return Line()

    def handshake(self, origin, proxy, trust):
        return Handshake("TLSv1.3", self.shown(origin, proxy))

    def shown(self, origin, proxy):
        now = int(time.time())
        return Certificate(f"CN={origin.hostname}", "CN=an authority", (origin.hostname,), now - 80 * DAY, now + 90 * DAY)


class Bench:
    """*azure* with *registry*, in which *app* may pull ``team/model``; who is signed in, logs in and is stored is that *app*."""

    def __init__(self, monkeypatch, directory):
        self.azure = AzureSimulator()
        self.network = PlainNetwork()
        self.app = self.azure.home.app("deploy", app_id=CLIENT_ID)
        self.secret = f"{CANARY}~of-the-application"
        self.app.add_secret(value=self.secret)
        self.registry = self.azure.registry("myregistry", admin=True)
        self.registry.admin_passwords = {"password": f"{CANARY}admin1", "password2": f"{CANARY}admin2"}
        self.registry.images.add_image("team/model", "v1", layers=[b"a layer"])
        self.azure.assign(self.app, "AcrPull", self.registry)
        self.directory = directory
        self._monkeypatch = monkeypatch
        self.account, self.typed, self.kind, self.tenant = CLIENT_ID, self.secret, "service-principal", self.azure.home.id
        self.stored = True
        self.at(HOST)
        self.setenv(PATH="", AZURE_TENANT_ID=self.tenant, AZURE_CLIENT_ID=CLIENT_ID, AZURE_CLIENT_SECRET=self.secret)

    def setenv(self, **variables):
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)

    def delenv(self, *names):
        for name in names:
            self._monkeypatch.delenv(name, raising=False)

    def at(self, host):
        """Ask another registry."""
        self.host, self.image = host, f"{host}/team/model:v1"

    def give(self, secret):
        """Present another secret."""
        self.typed = secret
        self.setenv(AZURE_CLIENT_SECRET=secret)

    def be(self, account, kind="service-principal"):
        """Present another account; an application is it in Entra, too."""
        self.account, self.kind = account, kind
        if kind == "service-principal":
            self.setenv(AZURE_CLIENT_ID=account)
        else:
            self.tenant = ""

    def live_in(self, tenant):
        """Name another tenant."""
        self.tenant = tenant
        self.setenv(AZURE_TENANT_ID=tenant)

    def somebody_may_look(self):
        """Have somebody else be signed in to Azure, who may read the registry's settings."""
        reader = self.azure.home.app("reader")
        self.azure.assign(reader, "Reader", self.registry)
        self.setenv(AZURE_CLIENT_ID=reader.app_id, AZURE_CLIENT_SECRET=reader.add_secret(value=f"{CANARY}~of-the-reader").value)

    def az(self, script):
        """Put a program ``az`` on PATH, of the lines of a shell script, and have nobody else signed in."""
        program = self.directory / "az"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        self.delenv("AZURE_CLIENT_SECRET")
        self.setenv(PATH=os.pathsep.join((str(self.directory), "/usr/bin", "/bin")))

    def keep(self):
        """Put what is presented into the store, as `principal add --no-verify` does."""
        host = self.image.partition("/")[0]
        store = open_store(environ=os.environ)
        address = Address.parse(host, known=(host,))
        store.put(Principal(address, self.account, (Slot(self.typed),), kind=self.kind, tenant=self.tenant))
        store.close()

    def configure(self, text):
        """Write the configuration file."""
        directory = os.path.join(os.environ["HOME"], ".config", "registryauth")
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, "config.toml"), "w", encoding="utf-8") as opened:
            opened.write(text)

    def words(self, pattern):
        """The words of a command line."""
        return [
            word.format(
                host=self.host,
                image=self.image,
                repository=self.image.strip().rpartition(":")[0],
                account=self.account,
                directory=self.directory,
            )
            for word in pattern
        ]
