from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.errors import ConfigurationError, CredentialNotFound
from registryauth.principals.candidate import Rules
from registryauth.principals.csv_list import read_csv
from registryauth.principals.exporting import select
from registryauth.principals.plain_list import write_list
from registryauth.principals.toml_list import read_toml
from registryauth.reference import Address
from registryauth.stores.principal import Principal, Slot

NOW = 1_800_000_000
READ = {"csv": read_csv, "toml": read_toml}
FORMATS = pytest.mark.parametrize("form", list(READ))
LINE = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=20)
NAME = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)


def a_principal(secret="s", account="me", **said):
    return Principal(Address.parse(said.pop("address", "r.example")), account, (Slot(secret, NOW, serial=1),), made_by="admin", **said)


@FORMATS
@given(
    secret=LINE.filter(str.strip),
    account=LINE.map(str.strip).filter(lambda name: name and ":" not in name and name.isprintable()),
    owner=LINE.map(str.strip),
    labels=st.dictionaries(NAME, LINE.map(lambda text: text.replace(";", "").strip()).filter(str.isprintable), max_size=3),
    insecure=st.booleans(),
    dates=st.sampled_from([(0, 0), (NOW + 100, 0), (NOW + 100, 50), (0, NOW + 5)]),
)
def test_what_is_listed_is_read_back(form, secret, account, owner, labels, insecure, dates):
    expires_at, not_before = dates
    slot = Slot(secret, NOW, expires_at, not_before, serial=1)
    principal = a_principal(
        account=account, owner=owner, purpose="p", kind="robot", labels=tuple(sorted(labels.items())), insecure=insecure
    )
    principal = principal.replace(
        slots=(slot,), needed=("pull", "push"), realm="https://auth.example/token", created_at=NOW, updated_at=NOW
    )
    [found] = READ[form](write_list([principal], form, NOW), "it", Rules(NOW))
    assert found.principal == principal


@FORMATS
def test_the_secret_in_use_is_the_one_that_is_listed(form):
    principal = a_principal().replace(slots=(Slot("old", 1, expires_at=5), Slot("now", 1)))
    assert "now" in write_list([principal], form, NOW)
    assert "old" not in write_list([principal], form, NOW)


@FORMATS
@pytest.mark.parametrize("said", [{"secret": "a\nb"}, {"owner": "a\x1b"}, {"labels": (("a", "b\x7f"),)}])
def test_what_no_list_can_carry_is_refused_by_name_and_not_shown(form, said):
    with pytest.raises(ConfigurationError, match=rf"^{next(iter(said))}s? of me at r\.example holds") as caught:
        write_list([a_principal(**said)], form, NOW)
    assert "bundle" in caught.value.hint


def test_a_label_that_csv_cannot_carry_is_one_that_toml_can():
    principal = a_principal(labels=(("a", "x;y"),))
    with pytest.raises(ConfigurationError, match="semicolon"):
        write_list([principal], "csv", NOW)
    assert READ["toml"](write_list([principal], "toml", NOW), "it", Rules(NOW))[0].principal.labels == principal.labels


@FORMATS
def test_two_principals_are_two_entries(form):
    principals = [a_principal(), a_principal(address="s.example/team")]
    found = READ[form](write_list(principals, form, NOW), "it", Rules(NOW))
    assert [str(each.principal.address) for each in found] == ["r.example", "s.example/team"]


@pytest.fixture
def filled(store):
    for address, account in (
        ("r.example", "a"),
        ("r.example/team", "a"),
        ("r.example/team/app", "b"),
        ("r.example/teams", "a"),
        ("s.example", "a"),
    ):
        store.put(a_principal(address=address, account=account))
    return store


@pytest.mark.parametrize(
    ("addresses", "account", "found"),
    [
        ((), "", ["r.example", "r.example/team", "r.example/team/app", "r.example/teams", "s.example"]),
        (("r.example",), "", ["r.example", "r.example/team", "r.example/team/app", "r.example/teams"]),
        (("r.example/team",), "", ["r.example/team", "r.example/team/app"]),
        (("r.example/team", "s.example"), "a", ["r.example/team", "s.example"]),
        ((), "b", ["r.example/team/app"]),
    ],
)
def test_an_address_stands_for_what_is_at_and_below_it(filled, addresses, account, found):
    chosen = select(filled, [Address.parse(text) for text in addresses], account)
    assert [str(record.address) for record in chosen] == found


@pytest.mark.parametrize(("addresses", "account"), [(("r.example", "none.example"), ""), (("s.example",), "b"), ((), "c")])
def test_what_is_not_there_is_said_and_nothing_given(filled, addresses, account):
    with pytest.raises(CredentialNotFound):
        select(filled, [Address.parse(text) for text in addresses], account)


def test_an_empty_store_has_nothing_to_export(store):
    with pytest.raises(CredentialNotFound, match="no credential is stored"):
        select(store)
