"""docker's and containers' certs.d: what counts, for which host, and when it is looked at."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path

import pytest

from registryauth._http import Request, certs_d, open_transport
from registryauth._http.certs_d import look_up, usual
from registryauth._http.tls import Trust, trusting
from registryauth._origin import Url
from registryauth.errors import ConfigurationError, TransportError

from .certificates import Authority
from .proxy import Proxy
from .raw_server import forever, raw_server


def lay(directory: Path, host: str, **files: str) -> Path:
    """The directory of *host*, with a copy of each file; ``ca_crt`` stands for ca.crt."""
    there = directory / host
    there.mkdir(parents=True)
    for name, file in files.items():
        shutil.copy(file, there / name.replace("_", "."))
    return there


def fetch(url: str, *directories: Path, environ: dict[str, str] | None = None, **more: dict[str, str]) -> bytes:
    transport = open_transport(environ or {}, certs_d=[str(directory) for directory in directories], **more)  # type: ignore[arg-type]
    try:
        return transport.send(Request("GET", Url.parse(url))).read(1000)
    finally:
        transport.close()


def test_every_crt_is_an_authority_for_the_host_and_for_no_other(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    with raw_server(forever(), authority.server()) as server, raw_server(forever(), authority.server()) as stranger:
        lay(tmp_path / "certs.d", server.host, a_crt=other.ca_file, b_crt=authority.ca_file)
        assert fetch(f"https://{server.host}/", tmp_path / "certs.d") == b"ok"
        with pytest.raises(TransportError, match="not trusted"):
            fetch(f"https://{stranger.host}/", tmp_path / "certs.d")


def test_a_cert_and_the_key_of_the_same_name_are_a_client_certificate(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.client()
    with raw_server(forever(), authority.server(clients=ssl.CERT_REQUIRED)) as server:
        lay(tmp_path, server.host, ca_crt=authority.ca_file, client_cert=certificate, client_key=key)
        assert fetch(f"https://{server.host}/", tmp_path) == b"ok"


def test_behind_a_proxy_it_is_the_same(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.client()
    lay(tmp_path, "r.example", ca_crt=authority.ca_file, client_cert=certificate, client_key=key)
    with raw_server(forever(), authority.server("r.example", clients=ssl.CERT_REQUIRED)) as server, raw_server(Proxy(server)) as proxy:
        assert fetch("https://r.example/", tmp_path, environ={"HTTPS_PROXY": proxy.host}) == b"ok"


def test_the_first_directory_that_is_there_counts(authority: Authority, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    lay(second, "r.example", ca_crt=authority.ca_file)
    found = trusting(certs_d=(str(first), str(second)))("r.example")
    assert found == Trust((str(second / "r.example/ca.crt"),))
    lay(first, "r.example")
    assert trusting(certs_d=(str(first), str(second)))("r.example") == Trust()


def test_the_port_of_https_may_be_written_out(tmp_path: Path) -> None:
    lay(tmp_path, "r.example:443")
    lay(tmp_path, "[fd00::5]:443")
    lay(tmp_path, "r.example:5000")
    for netloc, name in (("r.example", "r.example:443"), ("[fd00::5]", "[fd00::5]:443"), ("r.example:5000", "r.example:5000")):
        assert look_up(netloc, [str(tmp_path)]).path == str(tmp_path / name)
    assert look_up("[fd00::5]:5000", [str(tmp_path)]).path == ""


def test_what_we_were_told_ourselves_comes_first(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.client()
    there = lay(tmp_path, "r.example", ca_crt=authority.ca_file, client_cert=certificate, client_key=key)
    theirs = Trust((str(there / "ca.crt"),), str(there / "client.cert"), str(there / "client.key"))
    directories = (str(tmp_path),)
    assert trusting(certs_d=directories)("r.example") == theirs
    assert trusting({"r.example": "own"}, certs_d=directories)("r.example") == theirs.replace(authorities=("own",))
    own = trusting(None, {"r.example": ("c", "k")}, directories)("r.example")
    assert own == Trust(theirs.authorities, "c", "k")
    assert trusting({"*": "all"}, certs_d=directories)("r.example").authorities == (*theirs.authorities, "all")
    assert trusting({"*": "all"}, certs_d=directories)("other.example") == Trust(("all",))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["client.cert"], "has client.cert and no client.key"),
        (["client.key"], "has client.key and no client.cert"),
        (["a.cert", "b.key"], "has a.cert and no a.key"),
        (["a.cert", "a.key", "b.cert", "b.key"], r"more than one client certificate: a.cert, b.cert"),
    ],
)
def test_what_is_no_pair_is_a_fault_of_the_configuration(tmp_path: Path, names: list[str], said: str) -> None:
    there = lay(tmp_path, "r.example")
    for name in names:
        (there / name).touch()
    with pytest.raises(ConfigurationError, match=said) as caught:
        fetch("https://r.example/", tmp_path)
    assert caught.value.file == str(there)
    assert trusting(None, {"r.example": ("c", "k")}, (str(tmp_path),))("r.example") == Trust((), "c", "k"), "ours is not in doubt"


def test_a_crt_that_is_no_certificate_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    there = lay(tmp_path, "r.example")
    (there / "ca.crt").write_text("nothing")
    with pytest.raises(ConfigurationError, match=r"ca\.crt"):
        fetch("https://r.example/", tmp_path)


def test_other_files_count_for_nothing(tmp_path: Path) -> None:
    there = lay(tmp_path, "r.example")
    for name in ("README", "ca.pem", "ca.crt.old", ".hidden"):
        (there / name).touch()
    assert trusting(certs_d=(str(tmp_path),))("r.example") == Trust()


def test_a_directory_that_this_account_may_not_look_into_is_as_good_as_absent(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, there = tmp_path / "closed", lay(tmp_path / "open", "r.example", ca_crt=authority.ca_file)
    real = certs_d.os.listdir

    def listdir(path: str) -> list[str]:
        if path.startswith(str(closed)):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(certs_d.os, "listdir", listdir)
    assert look_up("r.example", [str(closed), str(tmp_path / "open")]).path == str(there)


def test_a_disk_that_fails_is_no_absence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def listdir(path: str) -> list[str]:
        raise OSError(5, "Input/output error", path)

    monkeypatch.setattr(certs_d.os, "listdir", listdir)
    with pytest.raises(ConfigurationError, match="Input/output error"):
        look_up("r.example", [str(tmp_path)])


def test_a_host_that_no_directory_can_be_named_for_has_none(tmp_path: Path) -> None:
    assert look_up("a" * 253 + ":5000", [str(tmp_path)]).names == ()


@pytest.mark.parametrize("proxied", [False, True])
def test_for_plain_http_nothing_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxied: bool) -> None:
    looked: list[str] = []
    monkeypatch.setattr("registryauth._http.tls.look_up", lambda netloc, _: looked.append(netloc))
    with raw_server(forever()) as server:
        environ = {"HTTPS_PROXY": "http://127.0.0.1:1"} if proxied else {}
        assert fetch(f"http://{server.host}/", tmp_path, environ=environ) == b"ok"
    assert looked == []


def test_it_is_looked_at_once(authority: Authority, tmp_path: Path) -> None:
    with raw_server(forever(), authority.server()) as server:
        there = lay(tmp_path, server.host, ca_crt=authority.ca_file)
        trust = trusting(certs_d=(str(tmp_path),))
        assert trust(server.host).authorities
        shutil.rmtree(there)
        assert trust(server.host).authorities


SYSTEM = ("/etc/containers/certs.d", "/etc/docker/certs.d")


@pytest.mark.parametrize(
    ("environ", "own"),
    [
        ({"HOME": "/home/me"}, ("/home/me/.config/containers/certs.d",)),
        ({"HOME": "/home/me", "XDG_CONFIG_HOME": "/cfg"}, ("/cfg/containers/certs.d",)),
        ({"HOME": "/home/me", "XDG_CONFIG_HOME": "relative"}, ("/home/me/.config/containers/certs.d",)),
    ],
)
def test_the_users_own_comes_before_the_systems_and_dockers_last(environ: dict[str, str], own: tuple[str, ...]) -> None:
    assert usual(environ) == (*own, *SYSTEM)


def test_without_a_home_the_systems_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registryauth._paths.home_dir", lambda environ: "")
    assert usual({}) == SYSTEM
