"""What every store must do, as tests: inherit `StoreContract` and give it a store.

    class TestMyStore(StoreContract):
        @pytest.fixture
        def store(self, tmp_path):
            return MyStore(tmp_path)

Nothing here imports pytest: ``store`` is whatever the runner hands to the tests under that name.
"""
# ruff: noqa: S101 - these are tests

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

from registryauth.errors import Conflict, Error, StoreError
from registryauth.reference import Address
from registryauth.stores import limits
from registryauth.stores.principal import Check, Consumer, Key, Principal, Slot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from registryauth.stores import Store


def a_record(address: str, account: str = "deploy", *secrets: str, preferred_at: int = 0, wildcard: bool = False) -> Principal:
    """A record at *address* with *secrets*, by default one that no other record has."""
    slots = tuple(Slot(secret, added_at=1_700_000_000) for secret in secrets or (f"secret of {account} at {address}",))
    return Principal(Address.parse(address, wildcard=wildcard), account, slots, preferred_at=preferred_at)


def _refused(kind: type[Error], action: Callable[[], object], named: str = "") -> None:
    """Assert that *action* raises *kind*, which names *named* and says what to do next."""
    hint, message = None, ""
    try:
        action()
    except kind as error:
        hint, message = error.hint, error.message
    assert hint is not None, f"no {kind.__name__} was raised"
    assert hint, f"{kind.__name__} does not say what to do next"
    assert named in message, f"{kind.__name__} does not name {named}"


def _holds(store: Store, records: Sequence[Principal], *absent: Principal) -> None:
    """Assert that *store* has *records*, in this order, and no other; of one that cannot list, that none of *absent* is there."""
    if store.enumerable:
        assert store.list() == list(records)
    for record in records:
        assert store.exact(record.key) == record
    for record in absent:
        assert store.exact(record.key) is None


class StoreContract:
    """The behaviour of `registryauth.stores.Store`; a subclass gives every test an empty store as ``store``.

    All of it holds for every store but what is declared otherwise: without ``conditional`` *if_revision* is not tested, without
    ``enumerable`` neither is `list`, and without ``atomic`` `put_all` may keep a beginning. ``max_secret``, where a store has it, is
    the length in bytes of UTF-8 that a secret may have, if that is less than the usual 64 KiB.
    """

    def test_an_empty_store_has_nothing(self, store: Store) -> None:
        """Absent is an answer, not an error."""
        assert store.get(Address.parse("r.example/a")) is None
        assert store.exact(a_record("r.example").key) is None
        assert list(store.at(Address.parse("r.example"))) == []
        _holds(store, [])
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

    def test_nearest_gives_every_account_of_the_nearest_place(self, store: Store) -> None:
        """And of that place alone; with an account, the nearest place that has it."""
        written = {account: store.put(a_record("r.example/a", account)) for account in ("x", "y")}
        above = store.put(a_record("r.example", "z"))
        store.put(a_record("r.example/a/b/c", "x"))
        found = store.nearest(Address.parse("r.example/a/b"))
        assert sorted(found, key=lambda record: record.account) == list(written.values())
        assert list(store.nearest(Address.parse("r.example/a/b"), "y")) == [written["y"]]
        assert list(store.nearest(Address.parse("r.example/a/b"), "z")) == [above]
        assert list(store.nearest(Address.parse("r.example/a/b"), "nobody")) == []
        assert list(store.nearest(Address.parse("other.example/a/b"))) == []

    def test_several_questions_have_the_answers_that_each_has_alone(self, store: Store) -> None:
        """In their order, also where two are the same, or nothing is there."""
        for address, account in (
            ("r.example", "z"),
            ("r.example/a", "x"),
            ("r.example/a", "y"),
            ("*.s.example", "w"),
            ("x.s.example", "x"),
        ):
            store.put(a_record(address, account, wildcard=True))
        places = ("r.example/a/b", "r.example", "t.example", "nobody.test", "r.example/a/b", "x.s.example/c", "y.s.example")
        questions = [(Address.parse(place), account) for place in places for account in (None, "x", "nobody")]
        assert [sorted(found, key=str) for found in store.nearest_all(questions)] == [
            sorted(store.nearest(*question), key=str) for question in questions
        ]
        assert list(store.nearest_all([])) == []

    def test_a_stamp_is_another_one_after_every_change(self, store: Store) -> None:
        """A store that cannot tell has none; reading changes nothing."""
        seen = [store.stamp()]
        record = store.put(a_record("r.example"))
        for change in (lambda: store.put(record), lambda: store.delete(record.key), lambda: store.put(record)):
            seen.append(store.stamp())
            store.list()
            assert store.stamp() in (seen[-1], None)
            change()
            assert store.stamp() is None or store.stamp() not in seen

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
        _holds(store, [second])

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
        _holds(store, others, gone)

    def test_a_conditional_put_holds_or_writes_nothing(self, store: Store) -> None:
        """0 is "only if there is none"."""
        if not store.conditional:
            return
        record = a_record("r.example")
        first = store.put(record, if_revision=0)
        _refused(Conflict, lambda: store.put(record, if_revision=0))
        second = store.put(record, if_revision=first.revision)
        _refused(Conflict, lambda: store.put(a_record("r.example", "deploy", "late"), if_revision=first.revision))
        _holds(store, [second])
        _refused(Conflict, lambda: store.put(a_record("r.example/absent"), if_revision=second.revision))
        _holds(store, [second])

    def test_put_all_writes_what_put_would(self, store: Store) -> None:
        """Each under its own condition, each with a revision of its own, given back in their order."""
        before = store.put(a_record("r.example/b", "deploy", "old"))
        records = [a_record("r.example/c"), a_record("r.example/b", "deploy", "new"), a_record("r.example/a")]
        written = list(store.put_all(zip(records, (0, before.revision, None), strict=True)))
        assert [found.replace(revision=0) for found in written] == records
        assert len({found.revision for found in (before, *written)}) == 4
        _holds(store, [written[2], written[1], written[0]])
        assert list(store.put_all([])) == []

    def test_where_one_record_is_refused_put_all_writes_none(self, store: Store) -> None:
        """The one in the way is named. A store that is not atomic may keep those before it, and nothing after it."""
        there = store.put(a_record("r.example/there"))
        records = [(a_record(f"r.example/{name}"), 0) for name in ("first", "there", "last")]
        if store.conditional:
            _refused(Conflict, lambda: store.put_all(records), "r.example/there")
        empty = a_record("r.example/there").replace(slots=(Slot(""),))
        _refused(StoreError, lambda: store.put_all([(records[0][0], None), (empty, None), (records[2][0], None)]), "r.example/there")
        kept = [str(record.address) for record, _ in records if record.key != there.key and store.exact(record.key)]
        assert kept == [] if store.atomic else kept in ([], ["r.example/first"])

    def test_put_all_takes_one_key_after_the_other(self, store: Store) -> None:
        """A record given twice with "only if there is none" is in its own way."""
        if not store.conditional:
            return
        record = a_record("r.example")
        _refused(Conflict, lambda: store.put_all([(record, 0), (record, 0)]))
        if store.atomic:
            _holds(store, [], record)

    def test_a_conditional_delete_holds_or_removes_nothing(self, store: Store) -> None:
        """A record that is not there has revision 0."""
        if not store.conditional:
            return
        written = store.put(a_record("r.example"))
        absent = a_record("r.example/absent").key
        _refused(Conflict, lambda: store.delete(written.key, if_revision=written.revision + 1))
        _refused(Conflict, lambda: store.delete(written.key, if_revision=0))
        _refused(Conflict, lambda: store.delete(absent, if_revision=written.revision))
        assert store.delete(absent, if_revision=0) is False
        _holds(store, [written])
        assert store.delete(written.key, if_revision=written.revision) is True

    def test_list_is_ordered_by_registry_path_and_account(self, store: Store) -> None:
        """So that two lists can be compared."""
        if not store.enumerable:
            return
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
        _holds(store, written)
        for record in written:
            assert store.get(record.address, record.account) == record

    def test_a_secret_has_64_kib(self, store: Store) -> None:
        """Or what the store says, counted in UTF-8; one byte more is refused, and nothing is written."""
        most = getattr(store, "max_secret", None) or limits.MAX_SECRET
        longest = a_record("r.example", "deploy", "ä" * (most // 2))
        assert store.put(longest).slots == longest.slots
        found = store.exact(longest.key)
        assert found is not None
        assert found.slots == longest.slots
        _refused(StoreError, lambda: store.put(a_record("r.example", "deploy", "ä" * (most // 2) + "x")))
        _holds(store, [found])

    def test_of_many_writers_at_once_one_wins(self, store: Store) -> None:
        """Eight that all want to be the first; and eight that each add a word lose none."""
        if not store.conditional:
            return
        record, outcomes = (
            a_record("r.example"),
            _at_once(8, lambda number: _put(store, a_record("r.example", "deploy", f"secret {number}"), 0)),
        )
        assert sorted(outcomes, key=bool) == [False] * 7 + [True]
        _at_once(8, lambda number: _label(store, record.key, str(number)))
        found = store.exact(record.key)
        assert found is not None
        assert sorted(name for name, _ in found.labels) == list("01234567")

    def test_what_is_no_secret_is_refused(self, store: Store) -> None:
        """Empty, none at all, or half of a surrogate pair."""
        record = a_record("r.example")
        for slots in ((), (Slot(""),), (Slot("fine"), Slot("")), (Slot("\ud83d"),)):
            _refused(StoreError, lambda slots=slots: store.put(record.replace(slots=slots)))  # type: ignore[misc]
        _holds(store, [], record)


def _at_once(count: int, work: Callable[[int], bool]) -> list[bool]:
    """What *work* gives for each number below *count*, all of them begun together."""
    barrier = Barrier(count)

    def begin(number: int) -> bool:
        barrier.wait(timeout=30)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def _put(store: Store, record: Principal, if_revision: int) -> bool:
    """Whether it was written; the alternative is a conflict."""
    try:
        store.put(record, if_revision)
    except Conflict:
        return False
    return True


def _label(store: Store, key: Key, name: str) -> bool:
    """Add a label, as often as others come in between."""
    while before := store.exact(key):
        if _put(store, before.replace(labels=(*before.labels, (name, ""))), before.revision):
            return True
    return False
