"""What every store must do, as tests: inherit `StoreContract` and give it a store.

    class TestMyStore(StoreContract):
        @pytest.fixture
        def store(self, tmp_path):
            return MyStore(tmp_path)

Nothing here imports pytest: ``store`` is whatever the runner hands to the tests under that name.
"""
# ruff: noqa: S101 - these are tests

from __future__ import annotations

from typing import TYPE_CHECKING

from registryauth.errors import Conflict, Error, StoreError
from registryauth.reference import Address
from registryauth.stores.principal import Check, Consumer, Key, Principal, Slot

if TYPE_CHECKING:
    from collections.abc import Callable

    from registryauth.stores import Store


def a_record(address: str, account: str = "deploy", *secrets: str, preferred_at: int = 0, wildcard: bool = False) -> Principal:
    """A record at *address* with *secrets*, by default one that no other record has."""
    slots = tuple(Slot(secret, added_at=1_700_000_000) for secret in secrets or (f"secret of {account} at {address}",))
    return Principal(Address.parse(address, wildcard=wildcard), account, slots, preferred_at=preferred_at)


def _refused(kind: type[Error], action: Callable[[], object]) -> None:
    """Assert that *action* raises *kind*, which says what to do next."""
    hint = None
    try:
        action()
    except kind as error:
        hint = error.hint
    assert hint is not None, f"no {kind.__name__} was raised"
    assert hint, f"{kind.__name__} does not say what to do next"


class StoreContract:
    """The behaviour of `registryauth.stores.Store`; a subclass gives every test an empty store as ``store``."""

    def test_an_empty_store_has_nothing(self, store: Store) -> None:
        """Absent is an answer, not an error."""
        assert store.get(Address.parse("r.example/a")) is None
        assert store.exact(a_record("r.example").key) is None
        assert list(store.at(Address.parse("r.example"))) == []
        assert store.list() == []
        assert store.delete(a_record("r.example").key) is False

    def test_what_is_put_comes_back_whole(self, store: Store) -> None:
        """Every field, not only the secret."""
        record = a_record("r.example/team", "deploy", "one", "two").replace(
            kind="service-principal", made_by="admin", tenant="t", owner="o", purpose="p", realm="https://auth.example/token",
            insecure=True, created_at=1, verified_at=2, preferred_at=3, disabled_at=4, updated_at=5, cloud="c",
            labels=(("a", "b"), ("c", "")), needed=("pull",), checks=(Check("team/app", ("pull",), (), "the token says", 6),),
            consumers=(Consumer("/secret.yaml", "kubernetes-secret", 1, 7),),
            slots=(Slot("one", 1, 2, 3, 4, 5, "key"), Slot("two")),
        )  # fmt: skip
        written = store.put(record)
        assert written == record.replace(revision=written.revision)
        assert written.revision > 0
        assert store.exact(record.key) == written
        assert store.get(record.address) == written

    def test_a_path_matches_by_whole_segments(self, store: Store) -> None:
        """``a/b`` is above ``a/b/c`` and not above ``a/bc``."""
        written = store.put(a_record("r.example/a/b"))
        assert store.get(Address.parse("r.example/a/b")) == written
        assert store.get(Address.parse("r.example/a/b/c/d")) == written
        for elsewhere in ("r.example/a/bc", "r.example/a/b-c", "r.example/a", "r.example", "r.example/x/a/b", "other.example/a/b"):
            assert store.get(Address.parse(elsewhere)) is None, elsewhere

    def test_a_wildcard_stands_for_one_label_and_yields_to_the_host_itself(self, store: Store) -> None:
        """``*.r.example`` is for ``a.r.example``, its paths and port, for nothing above, below or beside it."""
        wildcard, port = (store.put(a_record(text, wildcard=True)) for text in ("*.r.example", "*.r.example:5000"))
        narrower = store.put(a_record("*.r.example/team", wildcard=True))
        assert store.get(Address.parse("a.r.example/x")) == wildcard
        assert store.get(Address.parse("a.r.example/team/x")) == narrower
        assert store.get(Address.parse("a.r.example:5000")) == port
        for elsewhere in ("r.example", "a.b.r.example", "ar.example", "a.r.example.evil", "a.r.example:5001", "a.other.example"):
            assert store.get(Address.parse(elsewhere)) is None, elsewhere
        itself = store.put(a_record("a.r.example"))
        assert store.get(Address.parse("a.r.example/team/x")) == itself

    def test_a_port_is_part_of_the_registry(self, store: Store) -> None:
        """Two ports are two registries."""
        store.put(a_record("r.example:5000"))
        assert store.get(Address.parse("r.example")) is None
        assert store.get(Address.parse("r.example:5001")) is None

    def test_the_most_specific_record_wins(self, store: Store) -> None:
        """In whatever order they were written."""
        deep, shallow, root = (store.put(a_record(f"r.example{path}")) for path in ("/a/b", "/a", ""))
        assert store.get(Address.parse("r.example/a/b/c")) == deep
        assert store.get(Address.parse("r.example/a/x")) == shallow
        assert store.get(Address.parse("r.example/x")) == root

    def test_a_named_account_is_found_above_another_one(self, store: Store) -> None:
        """With an account, records of others do not stand in the way."""
        robot = store.put(a_record("r.example", "robot"))
        person = store.put(a_record("r.example/a", "person"))
        assert store.get(Address.parse("r.example/a/b"), "robot") == robot
        assert store.get(Address.parse("r.example/a/b"), "person") == person
        assert store.get(Address.parse("r.example/a/b"), "nobody") is None
        assert store.get(Address.parse("r.example/a/b")) == person

    def test_the_account_preferred_last_is_the_default(self, store: Store) -> None:
        """By *preferred_at*, and of equals the one written last."""
        store.put(a_record("r.example", "a", preferred_at=10))
        preferred = store.put(a_record("r.example", "b", preferred_at=30))
        store.put(a_record("r.example", "c", preferred_at=20))
        assert store.get(Address.parse("r.example")) == preferred
        last = store.put(a_record("r.example", "a", preferred_at=30))
        assert store.get(Address.parse("r.example")) == last

    def test_exact_looks_nowhere_else(self, store: Store) -> None:
        """Neither above nor at another account."""
        written = store.put(a_record("r.example/a"))
        assert store.exact(Key(Address.parse("r.example/a/b"), written.account)) is None
        assert store.exact(Key(Address.parse("r.example/a"), "other")) is None
        assert store.exact(Key(Address.parse("r.example"), written.account)) is None

    def test_at_gives_every_account_of_one_address(self, store: Store) -> None:
        """Ordered by account, and nothing from above or below."""
        records = [store.put(a_record("r.example/a", account)) for account in ("b", "a")]
        store.put(a_record("r.example"))
        store.put(a_record("r.example/a/b"))
        assert list(store.at(Address.parse("r.example/a"))) == records[::-1]
        assert list(store.at(Address.parse("r.example/c"))) == []

    def test_put_replaces_and_counts_up(self, store: Store) -> None:
        """The old secrets are gone, also from a second slot."""
        first = store.put(a_record("r.example", "deploy", "old", "older"))
        second = store.put(a_record("r.example", "deploy", "new"))
        assert second.revision > first.revision
        assert store.list() == [second]

    def test_a_removed_record_never_gets_its_old_revision_back(self, store: Store) -> None:
        """Who still holds the removed one must not overwrite the new one."""
        first = store.put(a_record("r.example"))
        assert store.delete(first.key) is True
        assert store.exact(first.key) is None
        assert store.put(a_record("r.example")).revision > first.revision

    def test_delete_takes_one_record_only(self, store: Store) -> None:
        """Its neighbours by path and by account stay."""
        others = [store.put(a_record("r.example", "deploy")), store.put(a_record("r.example/a", "zoe"))]
        gone = store.put(a_record("r.example/a", "deploy"))
        assert store.delete(gone.key) is True
        assert store.delete(gone.key) is False
        assert store.list() == others

    def test_a_conditional_put_holds_or_writes_nothing(self, store: Store) -> None:
        """0 is "only if there is none"."""
        record = a_record("r.example")
        first = store.put(record, if_revision=0)
        _refused(Conflict, lambda: store.put(record, if_revision=0))
        second = store.put(record, if_revision=first.revision)
        _refused(Conflict, lambda: store.put(a_record("r.example", "deploy", "late"), if_revision=first.revision))
        assert store.list() == [second]
        _refused(Conflict, lambda: store.put(a_record("r.example/absent"), if_revision=second.revision))
        assert store.list() == [second]

    def test_a_conditional_delete_holds_or_removes_nothing(self, store: Store) -> None:
        """A record that is not there has revision 0."""
        written = store.put(a_record("r.example"))
        absent = a_record("r.example/absent").key
        _refused(Conflict, lambda: store.delete(written.key, if_revision=written.revision + 1))
        _refused(Conflict, lambda: store.delete(written.key, if_revision=0))
        _refused(Conflict, lambda: store.delete(absent, if_revision=written.revision))
        assert store.delete(absent, if_revision=0) is False
        assert store.list() == [written]
        assert store.delete(written.key, if_revision=written.revision) is True

    def test_list_is_ordered_by_registry_path_and_account(self, store: Store) -> None:
        """So that two lists can be compared."""
        places = [("a.example", "z"), ("a.example/b", "a"), ("a.example/b", "b"), ("a.example/b/c", "a"), ("b.example", "a")]
        for address, account in reversed(places):
            store.put(a_record(address, account))
        assert [(str(found.address), found.account) for found in store.list()] == places

    def test_any_text_is_a_secret(self, store: Store) -> None:
        """Controls, quotes, emoji, both ends of the code space."""
        for secret in (" ", "\0", "line\nline\r\n", "'\"\\;--", "pässwörd", "\U0001f511\U0010ffff", "\ufeffx", '{"a": 1}'):
            record = a_record("r.example", "deploy", secret)
            store.put(record)
            found = store.exact(record.key)
            assert found is not None
            assert found.slots[0].secret == secret

    def test_any_text_is_an_account(self, store: Store) -> None:
        """Nothing in a name is a wildcard or a quote, and letters are not folded."""
        written = [store.put(a_record("r.example", name)) for name in ("", "%", "A", "_", "a", "a'b", "ä", "\U0001f511")]
        assert store.list() == written
        for record in written:
            assert store.get(record.address, record.account) == record

    def test_a_secret_has_64_kib(self, store: Store) -> None:
        """Counted in UTF-8; one byte more is refused, and nothing is written."""
        longest = a_record("r.example", "deploy", "ä" * (32 * 1024))
        assert store.put(longest).slots == longest.slots
        found = store.exact(longest.key)
        assert found is not None
        assert found.slots == longest.slots
        _refused(StoreError, lambda: store.put(a_record("r.example", "deploy", "ä" * (32 * 1024) + "x")))
        assert store.list() == [found]

    def test_what_is_no_secret_is_refused(self, store: Store) -> None:
        """Empty, none at all, or half of a surrogate pair."""
        record = a_record("r.example")
        for slots in ((), (Slot(""),), (Slot("fine"), Slot("")), (Slot("\ud83d"),)):
            _refused(StoreError, lambda slots=slots: store.put(record.replace(slots=slots)))  # type: ignore[misc]
        assert store.list() == []
