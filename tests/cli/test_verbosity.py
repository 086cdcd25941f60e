"""What --quiet leaves out and --verbose adds, and what neither may ever show."""

from __future__ import annotations

import base64
import json
import re
import sys
from urllib.parse import quote, quote_plus

import pytest

from registryauth import _child, _http
from registryauth._http.messages import Response
from registryauth._http.telling import Telling, shown
from registryauth._origin import Url
from registryauth.cli import console
from registryauth.cli.app import command
from registryauth.errors import TransportError
from registryauth.testing import RegistrySimulator, answers
from registryauth.testing.azure import AzureSimulator

from .conftest import CANARY
from .test_command_line import CALLS, VERBS

#: In a form that looks like nothing else.
SIGNATURE = "canary-signature-81cd"


@pytest.fixture
def wired(monkeypatch, simulator):
    """Every connection leads to the simulator, through whatever is put around connections; gives the simulator."""
    monkeypatch.setattr("registryauth._http.direct.DirectTransport", lambda **_: simulator.transport())
    simulator.add_image("team/model", "v1", [b"layer" * 100])
    return simulator


@pytest.fixture(autouse=True)
def _ends_as_it_began():
    yield
    assert console.level() is console.Level.USUAL
    assert (_http._around, _child._told) == (None, None)


# -- where the two may stand --


def test_every_verb_and_group_takes_both():
    for path, found in {(): command(), **VERBS}.items():
        names = {name for parameter in found.params for name in parameter.opts}
        assert {"-v", "--verbose", "-q", "--quiet"} <= names, path


@pytest.mark.parametrize("argv", [["-v", "whoami"], ["whoami", "-v"], ["--verbose", "whoami"], ["-v", "whoami", "--verbose"]])
def test_before_the_verb_and_after_it_it_is_the_same(cli, wired, keep, argv):
    keep("registry.example")
    done = cli(*argv, "registry.example")
    assert done.status == 0
    assert "> " in done.err
    assert done.err.count("GET https://registry.example/token") == 1


@pytest.mark.parametrize("argv", [["-v", "-q", "list"], ["-v", "list", "-q"], ["list", "-qv"]])
def test_both_at_once_is_a_misuse(cli, argv):
    done = cli(*argv)
    assert (done.status, done.out) == (2, "")
    assert "--verbose and --quiet exclude each other" in done.err


@pytest.mark.parametrize("argv", [["--account", "-v"], ["--account=-v"]])
def test_what_is_an_options_value_is_no_switch(cli, wired, accounts, keep, argv):
    accounts["-v"] = CANARY
    keep("registry.example", "-v")
    keep("registry.example", "other")
    done = cli("whoami", "registry.example", *argv)
    assert "account -v" in done.out + done.err
    assert "> " not in done.err


def test_a_command_after_a_verbose_one_says_no_more_than_ever(cli, wired, keep):
    keep("registry.example")
    assert "> " in cli("-v", "whoami", "registry.example").err
    assert cli("whoami", "registry.example").err == ""


# -- quiet --


def test_quiet_leaves_results_and_takes_notes(cli, wired):
    login = ["login", "registry.example", "-u", "me", "--password-stdin"]
    assert cli("-q", *login, stdin=CANARY).err == ""
    done = cli("digest", "registry.example/team/model:v1", "-q")
    assert (done.out.startswith("sha256:"), done.err) == (True, "")
    assert cli("logout", "registry.example", "-q").err == ""
    assert cli("list", "-q", "-o", "json").out == '{\n  "version": 1,\n  "registries": []\n}\n'


def test_quiet_drops_no_error_and_no_hint(cli, wired, kept):
    done = cli("-q", "login", "registry.example", "-u", "me", "--password-stdin", stdin="wrong")
    assert done.status == 4
    assert done.err.startswith("error: ")
    assert "hint: " in done.err


def test_quiet_drops_no_warning(cli, wired, monkeypatch):
    monkeypatch.setenv("REGISTRYAUTH_PASSWORD", "alone")
    done = cli("-q", "login", "registry.example", "-u", "me", "--password-stdin", stdin=CANARY)
    assert [line.partition(":")[0] for line in done.err.splitlines()] == ["warning"]


def test_quiet_says_what_a_person_must_type_in(capsys):
    console.set_level(console.Level.QUIET)
    console.insist("To sign in, enter the code ABCD")
    console.say("a note")
    console.set_level(console.Level.USUAL)
    assert capsys.readouterr().err == "To sign in, enter the code ABCD\n"


# -- verbose --


def test_verbose_tells_of_requests_sources_and_the_key(cli, wired, keep, home):
    keep("registry.example")
    done = cli("-v", "digest", "registry.example/team/model:v1")
    assert done.out.startswith("sha256:")
    lines = done.err.splitlines()
    assert f"* store: {home}/.local/share/registryauth/store.db; its key: file {home}/.config/registryauth/store.key" in lines
    assert any(line.startswith("* registry.example/team/model: environment: absent: ") for line in lines)
    assert any(line.startswith("* registry.example/team/model: store: found: ") for line in lines)
    requests = [line.split(" ", 2)[2] for line in lines if line.startswith("> ")]
    assert requests[0] == "HEAD https://registry.example/v2/team/model/manifests/v1"
    assert requests[1].startswith("GET https://registry.example/token?service=")
    assert requests[1].endswith(", Basic")
    assert requests[2] == "HEAD https://registry.example/v2/team/model/manifests/v1, Bearer"
    assert len([line for line in lines if line.startswith("< ")]) == 3


def test_verbose_says_which_sources_had_nothing(cli, wired):
    done = cli("-v", "resolve", "registry.example/team/model")
    assert done.status == 3
    assert "* registry.example/team/model: store: absent: " in done.err


def test_verbose_tells_of_programs_that_are_run(cli, wired, home, tmp_path, monkeypatch):
    helper = tmp_path / "docker-credential-theirs"
    helper.write_text(f'#!{sys.executable}\nprint(\'{{"ServerURL": "x", "Username": "me", "Secret": "{CANARY}"}}\')\n')
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text(json.dumps({"credHelpers": {"registry.example": "theirs"}}))
    done = cli("-v", "whoami", "registry.example")
    assert done.status == 0, done.err
    [line] = [line for line in done.err.splitlines() if line.startswith("ran ")]
    assert line.startswith(f"ran {helper} get: exit status 0, ")
    assert CANARY not in done.err


def test_a_program_that_fails_is_told_of_too(cli, wired, home, tmp_path, monkeypatch):
    (tmp_path / "docker-credential-theirs").write_text("not a program")
    (tmp_path / "docker-credential-theirs").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    (home / ".docker").mkdir()
    (home / ".docker/config.json").write_text(json.dumps({"credHelpers": {"registry.example": "theirs"}}))
    assert "docker-credential-theirs get: no answer after" in cli("-v", "whoami", "registry.example").err


def test_a_redirect_to_a_signed_address_shows_no_signature(cli, wired, keep):
    keep("registry.example")
    layer = wired.add_blob(b"elsewhere")
    at = f"https://storage.example/some/place?sig={SIGNATURE}&se=2027-01-01&X-Amz-Signature={SIGNATURE}&{SIGNATURE}"

    def elsewhere(request):
        if request.url.origin.host == "storage.example":
            return answers.content(request, 200, "application/octet-stream", b"elsewhere")
        if "/blobs/" in str(request.url) and request.header("authorization"):
            return answers.content(request, 307, "text/plain", b"", [("location", at)])
        return None

    wired.inject(elsewhere)
    done = cli("-v", "blob", "get", f"registry.example/team/model@{layer}")
    assert (done.status, done.out) == (0, "elsewhere"), done.err
    assert "GET https://storage.example/some/place?sig=…&se=…&X-Amz-Signature=…&…" in done.err
    assert SIGNATURE not in done.err


def _forms(secret):
    """*secret* as it is, and as Basic or a query have it."""
    pairs = [base64.b64encode(f"{account}:{secret}".encode()).decode() for account in ("me", "reader")]
    return {secret, quote(secret), quote_plus(secret), *pairs}


@pytest.mark.parametrize("auth", ["token", "basic"])
@pytest.mark.parametrize("path", CALLS, ids=" ".join)
def test_no_verb_shows_a_secret_when_it_is_verbose(cli, wired, keep, path, auth, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keep("registry.example")
    wired.auth = auth
    issued = []

    def collect(request, response):
        if not request.url.target.startswith("/token"):
            return response
        body = b"".join(bytes(chunk) for chunk in response.chunks())
        issued.append(json.loads(body).get("token") or json.loads(body).get("access_token"))
        return Response.of(response.status, response.headers, request.url, body)

    wired.alter(collect)
    done = cli(*path, "-v", *CALLS[path], stdin=CANARY)
    for secret in (CANARY, *filter(None, issued)):
        assert not [form for form in _forms(secret) if form in done.err], path
    assert CANARY not in done.out
    assert "\x1b" not in done.err


def test_an_image_build_shows_neither_tokens_nor_signatures_nor_arguments(cli, monkeypatch, tmp_path):
    azure, issued = AzureSimulator(), []
    app = azure.home.app("builder")
    azure.assign(app, "Contributor", azure.registry("myregistry"))

    def collect(request, response):
        if response.status != 200 or request.method == "HEAD":
            return response
        body = b"".join(bytes(chunk) for chunk in response.chunks())
        issued.extend("".join(found) for found in re.findall(r'"access_token": ?"([^"]+)"|[?&]sig=([^&" ]+)', body.decode()))
        return Response.of(response.status, response.headers, request.url, body)

    azure.altered(collect)
    monkeypatch.setattr("registryauth._http.direct.DirectTransport", lambda **_: azure.transport())
    monkeypatch.setattr("registryauth.azure.library.is_installed", lambda: False)
    for name, value in {"TENANT_ID": azure.home.id, "CLIENT_ID": app.app_id, "CLIENT_SECRET": app.add_secret(value=CANARY).value}.items():
        monkeypatch.setenv(f"AZURE_{name}", value)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("BUILD_TOKEN", f"build-{CANARY}")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    done = cli("-v", "azure", "acr", "build", "-t", "a:1", "-r", "myregistry", "--secret-build-arg", "BUILD_TOKEN", str(tmp_path))
    assert done.status == 0, done.err
    assert "PUT https://" in done.err
    assert len(issued) >= 3, "the measure works"
    for secret in (CANARY, *issued):
        assert not [form for form in _forms(secret) if form in done.err + done.out]


# -- the lines themselves --


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("https://registry.example/v2/", "https://registry.example/v2/"),
        (
            "https://a.example/token?service=a.example&scope=repository:x:pull",
            "https://a.example/token?service=a.example&scope=repository:x:pull",
        ),
        ("https://a.example/token?scope=repository%3Ax%3Apull%2Cpush", "https://a.example/token?scope=repository:x:pull,push"),
        ("https://a.example/v2/x/tags/list?n=10&last=v1", "https://a.example/v2/x/tags/list?n=10&last=v1"),
        ("https://a.example/x?token=abc", "https://a.example/x?token=…"),
        ("https://a.example/x?SIG=abc&sig=def", "https://a.example/x?SIG=…&sig=…"),
        ("https://a.example/x?_state=abc", "https://a.example/x?_state=…"),
        ("https://a.example/x?code", "https://a.example/x?…"),
        ("https://a.example/x?%73ig=abc", "https://a.example/x?%73ig=…"),
        (f"https://a.example/{'a1B2' * 20}/x", "https://a.example/…/x"),
        (f"https://a.example/sha256:{'a' * 64}", f"https://a.example/sha256:{'a' * 64}"),
        ("https://me:pw@a.example/x", "https://a.example/x"),
        (f"https://a.example/x?{'t' * 60}=1", "https://a.example/x?…=…"),
        ("https://a.example/x?scope=%1b%5b2J", "https://a.example/x?scope= [2J"),
    ],
)
def test_what_is_shown_of_an_address(url, line):
    assert shown(url) == line


class _Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 0.0125
        return self.now


def _told(answer, **said):
    told = []

    class Inner:
        def send(self, request):
            if isinstance(answer, Exception):
                raise answer
            return answer

        def close(self):
            told.append("closed")

    telling = Telling(Inner(), told.append, clock=_Clock())
    request = _http.Request("GET", Url.parse("https://a.example/v2/"), **said)
    try:
        telling.send(request)
    except TransportError:
        told.append("raised")
    return [line.split(" ", 2)[2] if line[:1] in "<>" else line for line in told]


def test_a_request_and_its_answer_are_a_line_each():
    answer = Response.of(200, [("content-length", "12")], Url.parse("https://a.example/v2/"))
    assert _told(answer) == ["GET https://a.example/v2/", "200, 12 ms, 12 bytes"]
    assert _told(answer, headers=(("authorization", f"Bearer {CANARY}"),), body=b"12345")[0] == "GET https://a.example/v2/, Bearer, 5 bytes"
    # A scheme that nobody knows may be a token that stands there bare.
    assert _told(answer, headers=(("authorization", CANARY),))[0] == "GET https://a.example/v2/, authorised"


def test_an_answer_that_lies_about_its_length_and_one_that_never_comes():
    for length in ("", "x", "9" * 30, CANARY):
        answer = Response.of(200, [("content-length", length)], Url.parse("https://a.example/v2/"))
        assert _told(answer)[1] == "200, 12 ms, length not announced"
    assert _told(TransportError(f"no {CANARY}")) == ["GET https://a.example/v2/", "TransportError after 12 ms", "raised"]


def test_without_verbose_nothing_is_put_around_a_connection(cli, monkeypatch):
    opened = []
    monkeypatch.setattr("registryauth._http.telling.Telling", lambda *_, **__: opened.append(1))
    simulator = RegistrySimulator(auth="none")
    simulator.add_image("x", "v1")
    with simulator.serve() as host:
        assert cli("digest", f"{host}/x:v1").status == 0
    assert opened == []
