"""URLs: what is read as one, and where a relative one leads."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registryauth._origin import MAX_URL, Url
from registryauth.errors import TransportError


@pytest.mark.parametrize(
    ("text", "host", "port", "target"),
    [
        ("https://x.azurecr.io", "x.azurecr.io", 443, "/"),
        ("HTTPS://X.AzureCR.io/Token?Service=X", "x.azurecr.io", 443, "/Token?Service=X"),
        ("https://x.azurecr.io:443/", "x.azurecr.io", 443, "/"),
        ("http://localhost:5000?n=1", "localhost", 5000, "/?n=1"),
        ("https://[::1]:5000/a", "[::1]", 5000, "/a"),
        ("https://x.io/a#fragment", "x.io", 443, "/a"),
        ("https://x.io/a?url=https://evil.example/@b", "x.io", 443, "/a?url=https://evil.example/@b"),
    ],
)
def test_absolute_urls(text: str, host: str, port: int, target: str) -> None:
    url = Url.parse(text)
    assert (url.origin.host, url.origin.port, url.target) == (host, port, target)
    assert Url.parse(str(url)) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x.azurecr.io/token",
        "/token",
        "//x.azurecr.io/token",
        "file:///etc/passwd",
        "ftp://x.azurecr.io/",
        "https:x.azurecr.io",
        "https:///token",
        "https://:443/token",
        "https://user@x.azurecr.io/",
        "https://user:password@x.azurecr.io/",
        "https://x.azurecr.io@evil.example/",
        "https://x.azurecr.io\\@evil.example/",
        "https://evil.example\\.azurecr.io/",
        "https://x.azurecr.io/\\evil",
        "https://x.azurecr.io./",
        "https://x..azurecr.io/",
        "https://x_y.azurecr.io/",
        "https://x.azurecr.io:/",
        "https://x.azurecr.io:0/",
        "https://x.azurecr.io:65536/",
        "https://x.azurecr.io:443a/",
        "https://x.azurecr.io:-1/",
        "https://x.azurecr.io%0a.evil.example/",
        "https://x.azurecr.io /",
        " https://x.azurecr.io/",
        "https://x.azurecr.io/\n",
        "https://x.azurecr.io/\r\nHost: evil.example",
        "https://x.azurecr.io/\0",
        "https://x.azurecr.io/\x7f",
        "https://x\u3002azurecr\u3002io/",
        "https://\u0445.azurecr.io/",
        "https://x.azurecr.io/\u00e9",
        "https://[::1/",
        "https://[::1]x/",
        "https://[:::1]/",
        "https://[12345::]/",
        "https://[fe80::1%25eth0]/",
        "https://[::ffff:127.0.0.1]/",
        "https://" + "a." * 200 + "io/",
        "https://x.io/" + "a" * MAX_URL,
    ],
)
def test_what_is_no_url_for_us_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(TransportError) as caught:
        Url.parse(text)
    assert "azurecr" not in caught.value.message + caught.value.hint
    assert len(caught.value.message) < 200


url_like = st.builds(
    lambda scheme, netloc, rest: f"{scheme}{netloc}{rest}",
    st.sampled_from(["http://", "https://", "HTTPS://", "//", "https:", "file://", "https:\\\\", ""]),
    st.text("ab.1:@[]\\%-_/?#\n\t xX\u3002", max_size=14),
    st.text("/?#ab\\ \n@:\u2028", max_size=6),
)


@given(st.text(max_size=60) | url_like)
@example("https://[::::]/")
@example("https://a\t.b/")
@example("http://1.2.3.4:80?@b")
def test_whatever_is_read_as_a_url_has_the_host_that_pythons_own_parser_sees(text: str) -> None:
    try:
        url = Url.parse(text)
    except TransportError:
        return
    theirs = urlsplit(text)
    assert url.origin.hostname == theirs.hostname
    assert url.origin.scheme == theirs.scheme
    assert url.origin.port == (theirs.port or {"http": 80, "https": 443}[theirs.scheme])
    assert theirs.username is None


def test_the_repr_and_the_redacted_form_leave_the_query_out() -> None:
    url = Url.parse("https://x.blob.core.windows.net/c/b?sv=1&sig=c4n4ry")
    assert url.redacted == "https://x.blob.core.windows.net/c/b"
    assert "c4n4ry" not in repr(url)


@pytest.mark.parametrize(
    ("location", "joined"),
    [
        ("/v2/a/blobs/uploads/1?state=x", "https://x.azurecr.io/v2/a/blobs/uploads/1?state=x"),
        ("uploads/1", "https://x.azurecr.io/v2/a/uploads/1"),
        ("?n=10&last=b", "https://x.azurecr.io/v2/a/b?n=10&last=b"),
        ("../c", "https://x.azurecr.io/v2/c"),
        ("//evil.example/a", "https://evil.example/a"),
        ("https://y.example:8443/a", "https://y.example:8443/a"),
        ("http://x.azurecr.io/a", "http://x.azurecr.io/a"),
        ("/a:b", "https://x.azurecr.io/a:b"),
        ("a?next=https://evil.example/", "https://x.azurecr.io/v2/a/a?next=https://evil.example/"),
    ],
)
def test_locations_absolute_and_relative(location: str, joined: str) -> None:
    assert str(Url.parse("https://x.azurecr.io/v2/a/b").join(location)) == joined


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "file:/etc/passwd",
        "javascript:alert(1)",
        "https:evil.example",
        "https://user@evil.example/",
        "//user@evil.example/",
        "//[",
        "//[::1",
        "/\\evil.example",
        "\\\\evil.example",
        "\thttps://evil.example/",
        "ht\ntps://evil.example/",
        "/\t/evil.example/",
        "/a\r\nHost: evil.example",
        "/a b",
        "/\u00e9",
        "/" + "a" * MAX_URL,
    ],
)
def test_locations_that_are_refused(location: str) -> None:
    with pytest.raises(TransportError):
        Url.parse("https://x.azurecr.io/v2/a/b").join(location)


@given(st.text(max_size=40) | url_like)
def test_any_location_joins_or_raises_our_error(location: str) -> None:
    base = Url.parse("https://x.azurecr.io/v2/")
    try:
        joined = base.join(location)
    except TransportError:
        return
    assert Url.parse(str(joined)) == joined
