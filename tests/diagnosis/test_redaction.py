from __future__ import annotations

import base64
import json
from urllib.parse import quote_plus

import pytest

from registryauth.diagnosis.redaction import Blotter, of_environment, without_userinfo

SECRET = "s3cret:with/a+b %c"


@pytest.mark.parametrize(
    "form", [SECRET, quote_plus(SECRET), base64.b64encode(SECRET.encode()).decode(), base64.urlsafe_b64encode(SECRET.encode()).decode()]
)
def test_a_known_secret_is_blotted_out_in_every_form_in_keys_and_values(form):
    data = {f"a {form}": [f"b {form} c", 7, None, {"d": form}]}
    blotted = Blotter([SECRET]).plain(data)
    assert form not in json.dumps(blotted)
    assert blotted["a ***"][:3] == ["b *** c", 7, None]


def test_what_is_too_short_for_a_secret_blots_out_no_words():
    assert Blotter(["on", ""]).text("nothing is on") == "nothing is on"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:pw@proxy.example:3128/x", "http://***@proxy.example:3128/x"),
        ("https://s.blob.core.windows.net/x?sv=1&sig=AbC%3D&se=2", "https://s.blob.core.windows.net/x?sv=1&sig=***&se=2"),
        ("registry.example.com/x@sha256:00", "registry.example.com/x@sha256:00"),
    ],
)
def test_what_looks_like_a_password_in_a_url_is_blotted_out_unknown_as_it_is(text, shown):
    assert Blotter().text(text) == shown


def test_secrets_of_the_environment_are_those_of_telling_names_and_of_urls():
    environ = {
        "REGISTRYAUTH_PASSWORD": "one-canary", "DOCKER_AUTH_CONFIG": "two-canary", "HTTPS_PROXY": "http://me:thr%65e-canary@p:1",
        "no_proxy": "x", "ALL_PROXY": "me:four-canary@p:1", "REGISTRYAUTH_STORE_KEY": "file", "PATH": "/bin",
    }  # fmt: skip
    found = of_environment(environ)
    assert {"one-canary", "two-canary", "thr%65e-canary", "three-canary", "four-canary"} <= set(found)
    assert not {"file", "/bin"} & set(found)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("host/a:v1", "host/a:v1"),
        ("host/a@sha256:abc0", "host/a@sha256:abc0"),
        ("me:pw@host/a", "***@host/a"),
        ("https://me:p/w@host/a@sha256:abc0", "***@host/a@sha256:abc0"),
    ],
)
def test_what_was_typed_before_the_host_is_not_shown(text, shown):
    assert without_userinfo(text) == shown
