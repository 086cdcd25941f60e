from __future__ import annotations

import base64

import pytest

from registryauth import _child
from registryauth.errors import StoreLocked
from registryauth.stores import keyring_key
from registryauth.stores.encrypted import EncryptedStore
from registryauth.stores.environment_key import EnvironmentKey
from registryauth.testing.store_contract import a_record

KEY = bytes(range(32))
TEXT = base64.b64encode(KEY).decode()


def test_a_store_is_made_and_opened_with_the_variable_and_with_no_other_value(place):
    def opened(text):
        environ = {"REGISTRYAUTH_MASTER_KEY": text} if text else {}
        return EncryptedStore(str(place / "store.db"), key="environment", key_file="/nonexistent", environ=environ)

    written = opened(TEXT).put(a_record("r.example"))
    assert opened(f" {TEXT}\n").list() == [written]
    assert opened("").status()["key"] == "environment variable REGISTRYAUTH_MASTER_KEY"
    with pytest.raises(StoreLocked, match="not set") as caught:
        opened("").list()
    assert "head -c 32 /dev/urandom" in caught.value.hint
    with pytest.raises(StoreLocked, match="another key"):
        opened(base64.b64encode(bytes(32)).decode()).list()


def test_it_is_the_header_that_says_so_whatever_the_configuration_says(place):
    environ = {"REGISTRYAUTH_MASTER_KEY": TEXT}
    EncryptedStore(str(place / "store.db"), key="environment", key_file="/nonexistent", environ=environ).put(a_record("r.example"))
    other = EncryptedStore(str(place / "store.db"), key="file", key_file=str(place / "store.key"), environ={})
    with pytest.raises(StoreLocked, match="REGISTRYAUTH_MASTER_KEY"):
        other.list()
    assert [path.name for path in place.iterdir()] == ["store.db"]


@pytest.mark.parametrize("text", ["canary", TEXT[:-4], TEXT + "AAAA", "\udcff", "canäry", "=" * 44])
def test_a_value_that_is_no_key_is_refused_and_not_repeated(text):
    with pytest.raises(StoreLocked, match="32 bytes in base64") as caught:
        EnvironmentKey({"REGISTRYAUTH_MASTER_KEY": text}).load()
    assert text not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("name", ["REGISTRYAUTH_MASTER_KEY", "REGISTRYAUTH_PASSPHRASE", "REGISTRYAUTH_NEW_SECRET"])
def test_no_child_process_gets_it(name):
    for environ in (_child.child_environment({name: TEXT, "PATH": "/bin"}), keyring_key._child_environ({name: TEXT, "PATH": "/bin"})):
        assert environ["PATH"] == "/bin"
        assert TEXT not in environ.values()
