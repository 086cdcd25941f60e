from __future__ import annotations

import base64
import os
import stat

import pytest

from registryauth.errors import StoreLocked, StoreUnavailable
from registryauth.stores.encrypted import EncryptedStore
from registryauth.stores.systemd_key import SystemdKey
from registryauth.testing.store_contract import a_record

KEY = bytes(range(32))


@pytest.fixture
def credential(tmp_path):
    """Writes the credential as systemd does: read-only."""

    def credential(content, mode=0o400):
        path = tmp_path / "credentials" / "registryauth.key"
        path.parent.mkdir(exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
        return {"CREDENTIALS_DIRECTORY": str(path.parent)}

    return credential


@pytest.mark.parametrize("content", [KEY, base64.b64encode(KEY), base64.b64encode(KEY) + b"\n", bytes(32), b"\n" * 32])
def test_a_credential_is_32_bytes_raw_or_as_base64(credential, content):
    source = SystemdKey(credential(content))
    assert source.load() == source.create() == (content if len(content) == 32 else KEY)
    assert source.describe() == {"source": "systemd"}


def test_a_store_is_made_and_opened_with_it_and_the_credential_stays_as_it_is(place, credential):
    environ = credential(KEY)

    def opened(environ):
        return EncryptedStore(str(place / "store.db"), key="systemd", key_file="/nonexistent", environ=environ)

    written = opened(environ).put(a_record("r.example"))
    assert opened(environ).list() == [written]
    assert opened({}).status()["key"] == "systemd credential registryauth.key"
    with pytest.raises(StoreLocked, match="another key"):
        opened(credential(bytes(32))).list()


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o600])
def test_the_group_bit_that_an_acl_shows_as_is_no_fault(credential, mode):
    assert SystemdKey(credential(KEY, mode)).load() == KEY


@pytest.mark.parametrize("mode", [0o404, 0o402, 0o444])
def test_a_credential_open_to_everybody_is_refused(credential, mode):
    with pytest.raises(StoreUnavailable, match="only this service"):
        SystemdKey(credential(KEY, mode)).load()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_credential_of_another_user_is_refused(credential):
    environ = credential(KEY)
    os.chown(os.path.join(environ["CREDENTIALS_DIRECTORY"], "registryauth.key"), 65534, -1)
    with pytest.raises(StoreUnavailable, match="only this service"):
        SystemdKey(environ).load()


@pytest.mark.parametrize("content", [b"", b"short", KEY + b"x", b"not base64!" * 4, b"A" * 5000])
def test_something_else_is_no_key_and_is_not_repeated(credential, content):
    with pytest.raises(StoreLocked, match="does not hold a key") as caught:
        SystemdKey(credential(content)).load()
    assert "systemd-creds encrypt" in caught.value.hint
    assert "base64!" not in str(caught.value)


@pytest.mark.parametrize("directory", [None, "", "relative"])
def test_outside_of_a_service_the_store_is_locked_and_says_how_to_make_a_credential(directory):
    environ = {} if directory is None else {"CREDENTIALS_DIRECTORY": directory}
    with pytest.raises(StoreLocked, match="CREDENTIALS_DIRECTORY is not set") as caught:
        SystemdKey(environ).load()
    assert "systemd-creds encrypt --name=registryauth.key" in caught.value.hint
    assert "LoadCredentialEncrypted=registryauth.key" in caught.value.hint


def test_a_missing_credential_is_never_made(tmp_path):
    for verb in (SystemdKey({"CREDENTIALS_DIRECTORY": str(tmp_path)}).load, SystemdKey({"CREDENTIALS_DIRECTORY": str(tmp_path)}).create):
        with pytest.raises(StoreLocked, match="there is no"):
            verb()
    assert list(tmp_path.iterdir()) == []


def test_a_link_and_a_fifo_are_refused(credential, tmp_path):
    environ = credential(KEY)
    path = tmp_path / "credentials" / "registryauth.key"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        SystemdKey(environ).load()
    path.unlink()
    os.mkfifo(path, 0o600)
    assert stat.S_ISFIFO(path.stat().st_mode)
    with pytest.raises(StoreUnavailable, match="only this service"):
        SystemdKey(environ).load()
