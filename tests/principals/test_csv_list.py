from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.errors import ConfigurationError
from registryauth.principals.candidate import MAX_PRINCIPALS, Rules
from registryauth.principals.csv_list import read_csv

CANARY = "canary-5e1d"
NOW = 1_800_000_000
HEADER = "registry,account,secret,owner,expires"


def read(text, **rules):
    return [candidate.principal for candidate in read_csv(text, "list.csv", Rules(NOW, **rules))]


def refused(text):
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    assert CANARY not in f"{caught.value} {caught.value.hint}"
    assert caught.value.__cause__ is None
    assert CANARY not in repr(caught.value.__context__)
    return caught.value


def test_a_line_says_everything_that_is_known_of_a_principal():
    [found] = read(
        "registry,client_id,password,kind,tenant,cloud,owner,purpose,expires,not_before,labels,needed,realm,insecure\n"
        f"localhost:5000/team/app,id-1,{CANARY},acr-token,t-1,azure,ml platform,nightly,2099-05-01,2020-01-01,b=2;a=1,pull push,"
        "https://auth.example/token,yes\n"
    )
    assert (str(found.address), found.account, found.kind, found.made_by) == ("localhost:5000/team/app", "id-1", "acr-token", "admin")
    assert (found.tenant, found.cloud, found.owner, found.purpose) == ("t-1", "azure", "ml platform", "nightly")
    assert (found.labels, found.needed) == ((("a", "1"), ("b", "2")), ("pull", "push"))
    assert (found.realm, found.insecure) == ("https://auth.example/token", True)
    [slot] = found.slots
    assert (slot.secret, slot.expires_at, slot.not_before, slot.added_at, slot.serial) == (CANARY, 4_081_276_800, 1_577_836_800, NOW, 1)
    assert (found.created_at, found.verified_at, found.revision) == (NOW, 0, 0)


@pytest.mark.parametrize(
    ("header", "account", "kind"),
    [
        ("registry,client_id,secret", "x", "service-principal"),
        ("Registry,Client-ID,Secret", "x", "service-principal"),
        ("registry,username,password", "x", "user"),
        ("registry,account,secret", "x", "user"),
        ("registry,account,secret", "<token>", "identity-token"),
        ("registry,account,secret", "00000000-0000-0000-0000-000000000000", "identity-token"),
    ],
)
def test_the_kind_follows_from_what_the_account_is_called(header, account, kind):
    [found] = read(f"{header}\nr.example,{account},x\n")
    assert (found.account, found.kind) == (account, kind)


def test_a_tenant_makes_a_service_principal_and_a_token_needs_no_name():
    assert read("registry,account,secret,tenant\nr.example,x,y,t\n")[0].kind == "service-principal"
    assert read("registry,account,secret,kind\nr.example,,y,identity-token\n")[0].account == "<token>"


def test_an_admin_s_record_needs_the_right_to_pull_and_a_login_s_says_nothing():
    text = "registry,account,secret\nr.example,x,y\n"
    assert (read(text)[0].made_by, read(text)[0].needed) == ("admin", ("pull",))
    assert (read(text, made_by="login")[0].made_by, read(text, made_by="login")[0].needed) == ("login", ())


@pytest.mark.parametrize("secret", [" leading", "trailing ", "a:b:c", "a,b", 'a"b', "a;b", "pässwörd \U0001f511", "=1+1", "x" * 65536, "'"])
def test_any_secret_of_one_line_arrives_as_it_is(secret):
    import csv
    import io

    text = io.StringIO()
    csv.writer(text).writerows([["registry", "account", "secret"], ["r.example", "x", secret]])
    assert read(text.getvalue())[0].slots[0].secret == secret


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40).filter(str.strip))
def test_any_text_without_controls_is_read_back(secret):
    quoted = secret.replace('"', '""')
    assert read(f'registry,account,secret\nr.example,x,"{quoted}"\n')[0].slots[0].secret == secret


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_line_end_and_every_spreadsheet_s_delimiter_is_read(end, delimiter):
    rows = [["registry", "account", "secret"], [], ["r.example", "x", "y"], ["s.example", " z ", "w"]]
    found = read(end.join(delimiter.join(row) for row in rows))
    assert [(str(p.address), p.account) for p in found] == [("r.example", "x"), ("s.example", "z")]


def test_a_quote_in_a_value_without_quotes_swallows_no_line():
    """Two odd quotes with a principal between them."""
    found = read('registry,account,secret\na.example,x,o"ne\nb.example,x,two\nc.example,x,th"ree\n')
    assert [p.slots[0].secret for p in found] == ['o"ne', "two", 'th"ree']


@pytest.mark.parametrize(
    ("row", "where", "complaint"),
    [
        (f",x,{CANARY},,", "line 2, column 1 (registry)", "is empty"),
        (f"no registry,x,{CANARY},,", "line 2, column 1 (registry)", "is no registry address"),
        (f"{CANARY},x,y,,", "line 2, column 1 (registry)", "is no registry address"),
        (f"x.azureecr.io,x,{CANARY},,", "line 2, column 1 (registry)", "one slip away"),
        (f"*.azurecr.io,x,{CANARY},,", "line 2, column 1 (registry)", "would cover registries of others"),
        (f"r.example,,{CANARY},,", "line 2, column 2 (account)", "is empty"),
        (f"r.example,a:{CANARY},y,,", "line 2, column 2 (account)", "no colon"),
        ("r.example,x,,,", "line 2, column 3 (secret)", "is empty"),
        (f"r.example,x,{CANARY}\x07,,", "line 2, column 3 (secret)", f"control character (its character {len(CANARY) + 1})"),
        (f"r.example,x,{CANARY}{'x' * 65536},,", "line 2, column 3 (secret)", "longer than 65536 bytes"),
        (f"r.example,x,y,{CANARY}\x1b[31m,", "line 2, column 4 (owner)", "control character"),
        (f"r.example,x,y,,{CANARY}", "line 2, column 5 (expires)", "is no date"),
        ("r.example,x,y,,2001-01-01", "line 2, column 5 (expires)", "is over already"),
        (f"r.example,x,{CANARY}", "line 2", "3 values, where the first line names 5 columns"),
        (f'r.example,x,"{CANARY}"y,,', "line 2", "write it twice"),
        (f"r.example,x,{CANARY * 20_000},,", "line 2", "more than 131072 characters"),
    ],
)
def test_a_fault_is_named_by_line_and_column_and_no_value_is_shown(row, where, complaint):
    error = refused(f"{HEADER}\n{row}\n")
    assert f"  {where}: " in str(error)
    assert complaint in str(error)
    assert "list.csv has 1 fault; nothing was imported" in str(error)
    assert (error.line, error.file) == (2, "list.csv")


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        ("kind", "person", "is none of service-principal"),
        ("cloud", "sky", "is none of aws"),
        ("labels", "novalue", "are name=value"),
        ("labels", "-=x", "are name=value"),
        ("needed", "pull fly", "are words of pull, push"),
        ("realm", "auth.example", "is not the URL of a token server"),
        ("insecure", "perhaps", "is neither true nor false"),
        ("not_before", "tomorrow", "is no date"),
    ],
)
def test_what_a_column_cannot_hold_is_refused(column, value, complaint):
    error = refused(f"registry,account,secret,{column}\nr.example,x,{CANARY},{value}\n")
    assert f"line 2, column 4 ({column}): {complaint}" in str(error)


@pytest.mark.parametrize(
    ("account", "owner"), [("x" * 1025, ""), ("\U0001f511" * 257, ""), ("x", "\U0001f511" * 6000), ("x", "y" * 70_000)]
)
def test_more_than_a_store_takes_is_refused_here_already(account, owner):
    error = refused(f"registry,account,secret,owner\nr.example,{account},{CANARY},{owner}\n")
    assert "line 2, column 2 (account): the account, or all that is said of it, is longer than a store takes" in str(error)


def test_dates_that_are_exchanged_are_refused():
    error = refused(f"registry,account,secret,expires,not_before\nr.example,x,{CANARY},2098-01-01,2099-01-01\n")
    assert "(expires): is before the day from which" in str(error)


def test_a_secret_with_line_breaks_is_one_fault_at_the_line_where_it_begins():
    text = f'registry,account,secret\na.example,x,"{CANARY}\nsecond ""line""\nthird"\nb.example,x,y\nc.example,x\n'
    error = refused(text)
    assert "has 2 faults" in str(error)
    assert "line 2: a value in quotes goes on over the end of the line" in str(error)
    assert "line 6: 2 values" in str(error)


def test_a_quote_that_is_never_closed_spoils_its_own_line_only():
    lines = "".join(f"r{n}.example,x,y\n" for n in range(1000))
    error = refused(f'registry,account,secret\na.example,x,"{CANARY}\n{lines}z.example,x\n')
    assert "has 2 faults" in str(error)
    assert "line 2: a value in quotes" in str(error)
    assert "line 1003: 2 values" in str(error)


def test_one_bad_line_in_50_000_is_found():
    lines = [f"r{n}.example,x,{CANARY}" for n in range(50_000)]
    lines[41_233] = f"r.example,,{CANARY}"
    error = refused("registry,account,secret\n" + "\n".join(lines))
    assert "1 fault;" in str(error)
    assert "line 41235, column 2 (account): " in str(error)


def test_up_to_twenty_faults_are_listed_and_all_are_counted():
    error = refused("registry,account,secret\n" + f"r.example,,{CANARY}\n" * 30)
    assert "has 30 faults" in str(error)
    assert str(error).count("\n  line ") == 20
    assert str(error).endswith("\n  and 10 more")


def test_a_repeated_line_is_refused_naming_both():
    error = refused(f"registry,account,secret\nr.example,x,{CANARY}\ns.example,x,y\nhttps://R.example/,x,{CANARY}2\n")
    assert "line 4: the same registry and account as line 2" in str(error)


def test_two_accounts_of_one_registry_are_two_principals():
    assert len(read("registry,account,secret\nr.example,x,1\nr.example,y,2\n")) == 2


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ("registry,account,secret,ownr", "line 1, column 4: there is no such column; did you mean owner?"),
        ("registry,account,secret,zzzz", "column 4: there is no such column; there are registry, account"),
        ("registry,account,owner", "line 1: there is no column secret"),
        ("registry,account,secret,password", "column 4: secret stands in column 3 already"),
        ("account,account,secret", "column 2: account stands in column 1 already"),
    ],
)
def test_a_header_is_held_to_the_columns_that_there_are(header, complaint):
    assert complaint in str(refused(f"\n{header}\nr.example,x,y,z\n".removeprefix("\n")))


def test_a_list_without_a_header_shows_none_of_its_first_line():
    error = refused(f"r.example,x,{CANARY}\n")
    assert "line 1: that is no header" in str(error)
    assert "r.example" not in str(error)


@pytest.mark.parametrize("text", ["", "\n\n", "  \n"])
def test_an_empty_list_is_said_to_be_empty(text):
    error = refused(text)
    assert "is empty" in str(error)
    assert "registry, account, secret" in error.hint


def test_a_host_that_the_configuration_spells_is_no_slip():
    [found] = read("registry,account,secret\nx.azureecr.io,x,y\n", known={"x.azureecr.io"})
    assert str(found.address) == "x.azureecr.io"


def test_what_the_configuration_says_of_a_registry_holds_unless_the_list_says_it():
    rules = {"realms": {"r.example": "https://auth.example/token"}, "insecure": ["r.example"]}
    [configured, other] = read("registry,account,secret\nr.example/team,x,y\ns.example,x,y\n", **rules)
    assert (configured.realm, configured.insecure, other.realm, other.insecure) == ("https://auth.example/token", True, "", False)
    [said] = read("registry,account,secret,realm\nr.example,x,y,https://other.example/\n", **rules)
    assert said.realm == "https://other.example/"


def test_a_wildcard_of_a_domain_of_one_s_own_is_read():
    assert read("registry,account,secret\n*.registry.example.com,x,y\n")[0].address.is_wildcard


def test_there_is_an_end_to_it():
    error = refused("registry,account,secret\n" + "r.example\n" * (MAX_PRINCIPALS + 1))
    assert f"more than {MAX_PRINCIPALS} principals" in str(error)


@given(st.text(st.sampled_from('",;\t\r\n ax.'), max_size=60))
def test_no_text_does_anything_but_list_or_raise(body):
    try:
        found = read(f"registry,account,secret\n{body}")
    except ConfigurationError:
        return
    assert all(p.slots[0].secret for p in found)
