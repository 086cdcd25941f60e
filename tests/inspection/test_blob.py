"""How a layer's bytes come, and when they are believed."""

from __future__ import annotations

import pytest

from registryauth.content.descriptor import Descriptor
from registryauth.digest import Digest
from registryauth.errors import DigestMismatch, NotFound, SizeMismatch, TransportError
from registryauth.inspection.blob import IN_PART, UNREAD, VERIFIED, Allowance, Enough, Reading
from registryauth.testing import faults

CONTENT = bytes(range(256)) * 4000
SIZE = len(CONTENT)
BLOBS = "GET .*/blobs/"


@pytest.fixture
def reading(simulator, repository):
    """A reading of CONTENT, or of what is said to be it."""

    def reading(limit=None, *, size=SIZE, digest=None):
        blob = Descriptor("", digest or simulator.add_blob(CONTENT), size)
        return Reading(repository, blob, Allowance(limit), pause=lambda _: None)

    return reading


def all_of(reading):
    return b"".join(map(bytes, reading.pieces()))


def asked(simulator):
    return [request.header("range") for request in simulator.requests if "/blobs/" in request.url.target]


def test_what_was_read_to_its_end_is_verified_and_counted(reading):
    whole = reading()
    assert whole.state == UNREAD
    assert all_of(whole) == CONTENT
    assert (whole.state, whole.came) == (VERIFIED, len(CONTENT))


def test_what_was_not_read_to_its_end_is_not(reading):
    part = reading()
    next(part.pieces())
    assert part.state == IN_PART


def test_a_broken_connection_is_taken_up_where_it_broke(simulator, reading):
    simulator.alter(faults.cut_download(BLOBS, 300_000, times=2))
    whole = reading()
    assert all_of(whole) == CONTENT
    assert asked(simulator) == ["", "bytes=300000-", "bytes=600000-"]
    assert (whole.state, whole.came) == (VERIFIED, len(CONTENT))


def test_a_registry_that_knows_no_ranges_sends_it_all_again_and_that_is_counted(simulator, reading):
    simulator.alter(faults.cut_download(BLOBS, 300_000, times=1))
    simulator.interfere(lambda request, then: then(request.replace(headers=tuple(h for h in request.headers if h[0] != "range"))))
    whole = reading()
    assert all_of(whole) == CONTENT
    assert (whole.state, whole.came) == (VERIFIED, len(CONTENT) + 300_000)


@pytest.mark.parametrize("status", [206, 416])
def test_a_registry_with_an_idea_of_its_own_of_ranges_is_asked_for_the_whole(simulator, reading, status):
    def odd(request, response):
        if request.header("range"):
            response.status = status
            response.headers = type(response.headers)([("content-range", "bytes 5-9/10")])
        return response

    simulator.alter(faults.cut_download(BLOBS, 300_000, times=1))
    simulator.alter(odd)
    assert all_of(reading()) == CONTENT


def test_a_connection_that_breaks_again_and_again_is_given_up(simulator, reading):
    simulator.alter(faults.cut_download(BLOBS, 0))
    with pytest.raises(TransportError):
        all_of(reading())
    assert len(asked(simulator)) == 3


def test_a_registry_that_sends_a_little_at_a_time_is_given_up_too(simulator, reading):
    simulator.alter(faults.cut_download(BLOBS, 10))
    with pytest.raises(TransportError):
        all_of(reading())
    assert len(asked(simulator)) == 20


def test_other_bytes_are_refused_at_the_end(simulator, reading):
    simulator.alter(faults.wrong_body(BLOBS))
    other = reading()
    with pytest.raises(DigestMismatch, match="what came is not the layer sha256:"):
        all_of(other)
    assert other.state == IN_PART


@pytest.mark.parametrize(("size", "words"), [(len(CONTENT) - 1, "larger than"), (len(CONTENT) + 1, "by its description")])
def test_another_size_is_refused(reading, size, words):
    with pytest.raises(SizeMismatch, match=words):
        all_of(reading(size=size))


def test_fewer_bytes_than_described_are_refused(simulator, reading):
    simulator.alter(faults.truncated_body(BLOBS))
    with pytest.raises(SizeMismatch, match="by its description"):
        all_of(reading())


def test_a_layer_that_is_not_there_is_an_error(reading):
    with pytest.raises(NotFound):
        all_of(reading(digest=Digest.of(b"elsewhere")))


def test_no_more_is_read_than_is_allowed(reading):
    limited = reading(100_000)
    with pytest.raises(Enough):
        all_of(limited)
    assert (limited.came, limited.state) == (100_000, IN_PART)


def test_where_nothing_may_be_read_nothing_is_asked_for(simulator, reading):
    nothing = reading(0)
    with pytest.raises(Enough):
        all_of(nothing)
    assert (asked(simulator), nothing.state) == ([], UNREAD)


def test_what_is_allowed_to_the_byte_is_read_and_verified(reading):
    exact = reading(len(CONTENT))
    assert all_of(exact) == CONTENT
    assert exact.state == VERIFIED


def test_an_empty_layer_is_whole(simulator, repository):
    empty = Reading(repository, Descriptor("", simulator.add_blob(b""), 0), Allowance(None))
    assert all_of(empty) == b""
    assert empty.state == VERIFIED
