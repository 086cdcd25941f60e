"""Microsoft's own `azure-identity` behind our adapter, against the simulator over a real proxy and real TLS."""

from __future__ import annotations

import pytest

from registryauth.azure.clouds import PUBLIC, REGISTRY_SCOPE
from registryauth.azure.library import Library, is_installed
from registryauth.errors import AzureError, NoIdentity

from ..azure_cloud import a_cloud

pytestmark = [pytest.mark.real, pytest.mark.skipif(not is_installed(), reason="azure-identity is not installed")]


@pytest.fixture
def azure(monkeypatch):
    made = a_cloud()
    made.entra.device_codes.interval = 1
    with made.environment() as reached:
        for name, value in reached.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PATH", "")
        yield made


def test_a_person_signs_in_by_device_code(azure):
    person = azure.home.user("ada")
    shown = []

    def tell(text):
        shown.append(text)
        azure.entra.device_codes.approve(text.rpartition(" ")[2], person)

    token = Library("device-code", PUBLIC, azure.home.id, tell=tell).token(REGISTRY_SCOPE)
    claims = azure.entra.signer.read(token.value)
    assert (claims["oid"], claims["aud"]) == (person.principal_id, "https://containerregistry.azure.net")
    assert abs(token.expires_at - claims["exp"]) <= 2
    assert shown[0].startswith("To sign in, open https://login.microsoftonline.com/device and enter the code ")


def test_a_person_who_says_no_is_a_refusal_and_nothing_is_printed(azure, capfd):
    def tell(text):
        azure.entra.device_codes.decline(text.rpartition(" ")[2])

    with pytest.raises(AzureError, match="declined") as caught:
        Library("device-code", PUBLIC, azure.home.id, tell=tell).token(REGISTRY_SCOPE)
    assert (caught.value.code, caught.value.exit_code) == ("AADSTS70018", 4)
    assert capfd.readouterr() == ("", "")


def test_where_its_chain_finds_nobody_that_is_no_identity(azure):
    with pytest.raises(NoIdentity, match="has nobody to sign in as"):
        Library("azure-identity", PUBLIC, azure.home.id).token(REGISTRY_SCOPE)
