"""The helper when others write to the store at the same time, and when what it is asked has no end or no sense."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.docker_helper import MAX_REQUEST, run
from registryauth.errors import Conflict
from registryauth.reference import Address
from registryauth.stores import Principal, Slot
from registryauth.stores.memory import MemoryStore

HOST = Address.parse("host.example")
LOGIN = json.dumps({"ServerURL": "host.example", "Username": "me", "Secret": "canary-5c1e"}).encode()


def test_a_record_that_becomes_an_admin_s_between_the_look_and_the_write_stays():
    store = MemoryStore()
    before = Principal(HOST, "me", (Slot("before"),), made_by="docker")
    store.put(before)

    class Overtaken(MemoryStore):
        def at(self, address):
            found = list(store.at(address))
            if found[0].made_by != "admin":
                store.put(found[0].replace(made_by="admin", slots=(Slot("the admin's"),)))
            return found

        put, delete = store.put, store.delete

    out, err = io.StringIO(), io.StringIO()
    assert run(["store"], io.BytesIO(LOGIN), out, err, {}, store=Overtaken()) == 0
    assert "registered by an admin" in err.getvalue()
    store.put(before)
    assert run(["erase"], io.BytesIO(b"host.example"), out, err, {}, store=Overtaken()) == 0
    assert [record.slots[0].secret for record in store.list()] == ["the admin's"]


def test_a_store_that_others_write_all_the_time_is_given_up_with_a_reason():
    class Busy(MemoryStore):
        def put(self, principal, if_revision=None):
            raise Conflict("changed meanwhile")

    out, err = io.StringIO(), io.StringIO()
    assert run(["store"], io.BytesIO(LOGIN), out, err, {}, store=Busy()) == 1
    assert "try again" in err.getvalue()


@pytest.mark.parametrize("action", ["get", "store", "erase"])
def test_no_more_is_read_than_a_request_may_have(action):
    class Endless(io.RawIOBase):
        seen = 0

        def read(self, size=-1):
            assert 0 < size <= MAX_REQUEST + 1
            self.seen += size
            return b"a" * size

    endless, out = Endless(), io.StringIO()
    assert run([action], endless, out, io.StringIO(), {}, store=MemoryStore()) == 1
    assert out.getvalue() == f"the request is longer than {MAX_REQUEST} bytes\n"
    assert endless.seen == MAX_REQUEST + 1


@given(st.binary(max_size=200), st.sampled_from(["get", "store", "erase", "list"]))
def test_no_bytes_at_all_break_the_helper(request_, action):
    out, err = io.StringIO(), io.StringIO()
    assert run([action], io.BytesIO(request_), out, err, {}, store=MemoryStore()) in (0, 1)
    assert out.getvalue().count("\n") == (0 if action == "erase" and not out.getvalue() else 1)
