"""The log of a build: followed while it grows, through every disturbance, and made safe to print."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth._http.messages import Headers, Response
from registryauth.azure.build_context import pack_dockerfile
from registryauth.azure.build_log import BuildLog, Lines, clean
from registryauth.azure.build_request import BuildRequest
from registryauth.azure.builds import Builds
from registryauth.azure.clouds import PUBLIC
from registryauth.azure.container_registries import read_registry
from registryauth.azure.resource_id import ResourceId
from registryauth.azure.rest import Rest
from registryauth.azure.workspaces import REGISTRIES
from registryauth.errors import AzureError, TransportError
from registryauth.testing import answers
from registryauth.testing.azure import Build
from registryauth.testing.azure.blobs import xml_error
from registryauth.testing.faults import cut_download, no_answer, server_error, too_many_requests

STORE, ARM = ".blob.core.windows.net", "management.azure.com"
LINES = tuple(f"line {number}" for number in range(40))
WHOLE = "".join(f"{line}\r\n" for line in LINES).encode()


@pytest.fixture
def builds(azure, app, tokens, clock):
    registry = azure.registry("myregistry")
    azure.assign(app, "Contributor", registry)

    def sleep(seconds):
        clock.now += seconds

    rest = Rest(azure.transport(), PUBLIC.management, lambda: tokens.get(PUBLIC.management_scope), "Azure", sleep=sleep, clock=clock)
    found = read_registry(rest, ResourceId.parse(registry.id, REGISTRIES), PUBLIC)
    made = Builds(rest, azure.transport(), found, clock=clock, sleep=sleep)
    made.simulated = registry
    return made


@pytest.fixture
def start(builds):
    """Start a run with a log of `LINES`; gives the log that follows it."""

    def start(**said):
        builds.simulated.build = Build(**{"log": LINES, "duration": 100} | said)
        with pack_dockerfile(b"FROM scratch\n") as context:
            run = builds.schedule(BuildRequest(builds.upload(context), context.dockerfile, ("a:1",)))
        return BuildLog(builds, run.id, lambda: builds.run(run.id).is_over)

    return start


def is_whole(content):
    """Whether *content* is the log, each byte once, with the service's own last line."""
    return content.startswith(WHOLE) and content.count(b"\r\n") == len(LINES) + 1


def test_a_log_is_followed_from_before_its_first_line_to_its_last(builds, start, clock):
    log, begun = start(queued=30), clock.now
    pieces = [(piece, clock.now - begun) for piece in log.pieces()]
    assert is_whole(b"".join(piece for piece, _ in pieces))
    assert log.complete == "succeeded"
    assert len(pieces) > 20, "it came as it was written"
    assert 130 <= clock.now - begun < 140


def test_only_what_is_new_is_asked_for(azure, start):
    log = start()
    list(log.pieces())
    ranges = [one.header("range") for one in azure.requests if one.method == "GET" and ".log" in one.url.target]
    starts = [int(one.removeprefix("bytes=").partition("-")[0]) for one in ranges]
    assert starts == sorted(set(starts))
    assert not [one for one in azure.requests if "rawtext.log" in one.url.target and one.header("authorization")]
    assert len([one for one in azure.requests if "listLogSasUrl" in one.url.target]) == 1


@pytest.mark.parametrize("name", ["x-ms-meta-complete", "X-MS-META-COMPLETE", "x-ms-meta-Complete"])
def test_the_end_is_known_in_whatever_case_it_is_said(azure, start, name):
    def renamed(request, response):
        fields = [(name if key == "x-ms-meta-complete" else key, value) for key, value in response.headers]
        response.headers = Headers(fields)
        return response

    azure.altered(renamed, STORE)
    assert is_whole(b"".join(start().pieces()))


def test_a_log_that_nobody_ends_ends_with_its_run(azure, start, clock):
    begun = clock.now
    assert is_whole(b"".join(start(complete=False).pieces()))
    assert clock.now - begun < 130


def test_last_lines_that_come_after_the_run_is_over_are_waited_for(azure, start, clock):
    begun, looks = clock.now, []

    def late(request, response):
        """The log lacks its last line at the first two looks after the run was seen to be over."""
        if request.method == "GET" and "/runs/" in request.url.target and clock.now - begun >= 100:
            looks.append("run")
        if request.method != "HEAD" or int(response.headers.get("content-length")) < len(WHOLE):
            return response
        looks.extend(["log"] if looks else [])
        short = [("content-length", str(len(WHOLE) - 20))]
        return response if len(looks) > 3 else Response.of(200, short, request.url)

    azure.altered(late)
    assert is_whole(b"".join(start(complete=False).pieces()))


def not_yet(request):
    return xml_error(request, 404, "BlobNotFound", "The specified blob does not exist.") if ".log" in request.url.target else None


def test_a_log_that_is_not_there_yet_is_waited_for(azure, start):
    left = [12]

    def fault(request):
        found = not_yet(request) if left[0] else None
        left[0] -= found is not None
        return found

    azure.fault(fault, STORE)
    assert is_whole(b"".join(start().pieces()))


def test_a_log_that_is_never_there_ends_with_its_run(azure, start, clock):
    azure.fault(not_yet, STORE)
    begun = clock.now
    assert list(start().pieces()) == []
    assert clock.now - begun < 130


def cut_head(times):
    left = [times]

    def fault(request):
        if ".log" in request.url.target and left[0]:
            left[0] -= 1
            raise TransportError("no answer", transient=True)

    return fault


@pytest.mark.parametrize(
    "trouble",
    [
        lambda azure: azure.fault(too_many_requests(r"\.log", times=5), STORE),
        lambda azure: azure.fault(server_error(r"\.log", status=503, times=5), STORE),
        lambda azure: azure.fault(cut_head(5), STORE),
        lambda azure: azure.altered(cut_download(r"GET .*\.log", 5, times=30), STORE),
        lambda azure: azure.altered(cut_download(r"GET .*\.log", 0, times=3), STORE),
        lambda azure: azure.fault(server_error(r"GET .*/runs/", status=500, times=12), ARM),
        lambda azure: azure.altered(without_ranges, STORE),
        lambda azure: azure.fault(server_error("listLogSasUrl", status=503, times=5), ARM),
        lambda azure: azure.fault(no_answer("listLogSasUrl", times=3), ARM),
        lambda azure: azure.fault(no_link(3), ARM),
    ],
    ids=[
        "throttled",
        "busy",
        "no answer",
        "cut after five bytes",
        "cut at once",
        "the run cannot be looked at",
        "no ranges",
        "no link from a busy service",
        "no answer about the link",
        "no link yet",
    ],
)
def test_through_every_disturbance_each_byte_comes_once(azure, start, trouble):
    trouble(azure)
    assert is_whole(b"".join(start().pieces()))


def no_link(times):
    """Azure knows the run, and no log of it yet."""
    left = [times]

    def fault(request):
        if "listLogSasUrl" not in request.url.target or not left[0]:
            return None
        left[0] -= 1
        return answers.document(request, 200, {"logLink": ""})

    return fault


def without_ranges(request, response):
    """As a proxy that keeps a copy: the whole, whatever was asked for."""
    if request.method != "GET" or response.status != 206:
        return response
    length = int(response.headers.get("content-range").rpartition("/")[2])
    return answers.content(request, 200, "text/plain", (WHOLE + b"Run ID: ca1 was successful after 1m40s\r\n")[:length])


def test_a_link_that_ended_is_asked_for_anew(azure, start):
    stale = set()

    def fault(request):
        if ".log" not in request.url.target:
            return None
        served = [one for one in azure.requests if one.url == request.url]
        if len(served) > 30:
            stale.add(request.url.target)
        return xml_error(request, 403, "AuthenticationFailed", "expired") if request.url.target in stale else None

    azure.fault(fault, STORE)
    assert is_whole(b"".join(start().pieces()))
    assert stale


@pytest.mark.parametrize("status", [403, 400, 500])
def test_a_log_that_stays_refused_is_an_error_without_its_link(azure, start, status):
    azure.fault(lambda request: xml_error(request, status, "Bad", str(request.url)) if ".log" in request.url.target else None, STORE)
    with pytest.raises(AzureError, match="the log was refused") as caught:
        list(start().pieces())
    assert "sig=" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize(
    "trouble",
    [
        lambda azure: azure.fault(server_error(r"GET .*\.log", status=503), STORE),
        lambda azure: azure.altered(emptied, STORE),
    ],
    ids=["busy", "empty"],
)
def test_a_log_that_is_there_and_cannot_be_read_is_left_soon(azure, start, clock, trouble, complete):
    trouble(azure)
    begun = clock.now
    with pytest.raises((AzureError, TransportError)):
        list(start(complete=complete, duration=1).pieces())
    assert clock.now - begun < 120


def emptied(request, response):
    return Response.of(response.status, response.headers, request.url, b"") if request.method == "GET" else response


def test_a_log_whose_link_is_refused_is_an_error(azure, start):
    body = {"error": {"code": "AuthorizationFailed", "message": "no"}}
    log = start()
    azure.fault(lambda request: answers.document(request, 403, body) if "listLogSasUrl" in request.url.target else None, ARM)
    with pytest.raises(AzureError, match="AuthorizationFailed"):
        list(log.pieces())
    azure.behave()
    azure.fault(lambda request: answers.document(request, 200, {"logLink": None}) if "listLogSasUrl" in request.url.target else None, ARM)
    with pytest.raises(AzureError, match="no link"):
        list(log.pieces())


def test_a_piece_of_another_place_is_not_taken(azure, start):
    def shifted(request, response):
        if response.status == 206:
            response.headers = Headers([(key, "bytes 99-100/200" if key == "content-range" else value) for key, value in response.headers])
        return response

    azure.altered(shifted, STORE)
    with pytest.raises(AzureError):
        list(start().pieces())


def test_a_log_that_goes_on_for_ever_is_left(builds, start, clock):
    builds.simulated.build = None
    log = start(duration=1e9)
    limited = BuildLog(builds, log._id, lambda: False, clock.now + 1000)
    list(limited.pieces())
    assert clock.now < 1_800_000_000 + 1100


def test_an_odd_length_is_no_length(azure, start):
    left = [3]

    def odd(request, response):
        if request.method == "HEAD" and left[0]:
            left[0] -= 1
            return Response.of(200, [("content-length", "9" * 30)], request.url)
        return response

    azure.altered(odd, STORE)
    assert is_whole(b"".join(start().pieces()))


@pytest.mark.parametrize("at", [65_530, 131_060])
def test_a_secret_at_the_place_where_a_long_line_is_cut_is_one(at):
    shown = "".join(text(b"x" * at + b"s3cret-value" + b"y" * 70_000, 4096, secrets=("s3cret-value",)))
    assert shown == "x" * at + "[secret]" + "y" * 70_000


def test_a_log_of_carriage_returns_takes_no_time():
    begun = time.process_time()
    assert text(b"\r" * 100_000) == [""]
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("colours", [True, False])
@pytest.mark.parametrize("line", ["a s3c\x1b[31mret\x1b[0m-value b", "\x1b[1ma s3cret-value b\x1b[0m", "a s3c\x1b]0;t\x07ret-value b"])
def test_a_secret_with_a_colour_in_it_is_one(line, colours):
    (shown,) = text(line.encode(), secrets=("s3cret-value",), colours=colours)
    assert clean(shown) == "a [secret] b"


def text(content, step=0, **said):
    lines = Lines(**said)
    pieces = [content[at : at + step] for at in range(0, len(content), step)] if step else [content]
    return [line for piece in pieces for line in lines.feed(piece)] + list(lines.feed(b"", last=True))


def test_lines_are_lines_whatever_they_end_in():
    assert text(b"a\r\nb\nc\r\r\n10%\r20%\r\nd") == ["a", "b", "c", "10%", "20%", "d"]
    assert text(b"a\r") == ["a"]
    assert text(b"") == []


@given(st.text(st.sampled_from("ab\r\n\x1b[1;31mé"), max_size=40), st.integers(1, 5))
def test_it_does_not_matter_how_a_log_is_cut(content, step):
    data = content.encode()
    assert text(data, step) == text(data)
    assert text(data, step, colours=True) == text(data, colours=True)


@pytest.mark.parametrize(
    ("line", "plain", "coloured"),
    [
        ("\x1b[31mred\x1b[0m", "red", "\x1b[31mred\x1b[0m\x1b[0m"),
        ("\x1b[1;38;5;200mx", "x", "\x1b[1;38;5;200mx\x1b[0m"),
        ("\x1b[8mhidden", "hidden", "hidden"),
        ("\x1b[2J\x1b[1;1Hgone", "gone", "gone"),
        ("\x1b]0;title\x07after", "after", "after"),
        ("\x1b]8;;https://evil\x1b\\link\x1b]8;;\x1b\\", "link", "link"),
        ("\x1bPq#0\x1b\\after", "after", "after"),
        ("\x9b31mc1", "c1", "c1"),
        ("\x1bcreset", "reset", "reset"),
        ("a\x08\x08b\x00\x07", "a  b  ", "a  b  "),
        ("tab\there", "tab\there", "tab\there"),
        ("a\u202eb\u2066", "a b ", "a b "),
        ("\x1b", "", ""),
        ("\x1b[", "", ""),
        ("é ü 日本", "é ü 日本", "é ü 日本"),
    ],
)
def test_what_could_move_a_cursor_is_gone_and_colours_only_stay_where_they_may(line, plain, coloured):
    assert clean(line) == plain
    assert clean(line, colours=True) == coloured


@given(st.text(st.characters() | st.sampled_from("\x1b[]0;m\x9b\x07\r\u202e"), max_size=60))
def test_nothing_but_colours_is_left_of_any_line(line):
    assert all(char.isprintable() or char == "\t" for char in clean(line))
    rest = clean(line, colours=True)
    for sequence in rest.split("\x1b")[1:]:
        assert sequence[0] == "["
        assert set(sequence.partition("m")[0]) <= set("[0123456789;")


def test_secrets_are_blotted_out_also_where_a_piece_ends_in_the_middle():
    secret = "canary-secret"
    for step in (1, 3, 7, 0):
        assert text(f"echo {secret} {secret}x\n".encode(), step, secrets=(secret,)) == ["echo [secret] [secret]x"]
    long = text(b"x" * 100_000 + secret.encode() + b"y" * 100_000, 50_000, secrets=(secret,))
    assert secret not in "".join(long)
    assert max(map(len, long)) <= 128 * 1024
    assert "".join(long).replace("[secret]", "") == "x" * 100_000 + "y" * 100_000


def test_a_signed_link_in_a_log_loses_its_signature():
    assert text(b"GET https://s/x?sv=1&sig=abc%2B&sp=r done") == ["GET https://s/x?sv=1&sig=[secret]&sp=r done"]


def test_bytes_that_are_no_text_are_shown_as_such():
    assert text(b"caf\xe9\xff\n") == ["caf\ufffd\ufffd"]
    assert json.dumps(text("é".encode()[:1])) == '["\\ufffd"]'
