from __future__ import annotations

import pytest

from registryauth.errors import ConfigurationError
from registryauth.principals.candidate import Rules
from registryauth.principals.toml_list import read_toml

CANARY = "canary-81cc"
NOW = 1_800_000_000
ONE = f"""
[[principal]]
registry = "r.example"
account = "x"
secret = "{CANARY}"
"""


def read(text):
    return [candidate.principal for candidate in read_toml(text, "list.toml", Rules(NOW))]


def refused(text):
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    assert CANARY not in f"{caught.value} {caught.value.hint} {caught.value.__context__!r}"
    return caught.value


def test_a_table_says_everything_that_is_known_of_a_principal():
    [found] = read(
        f"""[[principal]]
registry = "localhost:5000/team"
client_id = "id-1"
secret = '{CANARY}'
expires = 2099-05-01
not_before = 2020-01-01T00:00:00Z
needed = ["pull", "push"]
insecure = true
[principal.labels]
b = "2"
a = "with ; and ="
"""
    )
    assert (str(found.address), found.account, found.kind, found.insecure) == ("localhost:5000/team", "id-1", "service-principal", True)
    assert (found.labels, found.needed) == ((("a", "with ; and ="), ("b", "2")), ("pull", "push"))
    assert (found.slots[0].secret, found.slots[0].expires_at, found.slots[0].not_before) == (CANARY, 4_081_276_800, 1_577_836_800)


def test_a_token_needs_no_account():
    assert read('[[principal]]\nregistry="r.example"\nkind="identity-token"\nsecret="s"\n')[0].account == "<token>"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (f'ownr = "{CANARY}"', "line 6: there is no such column; did you mean owner?"),
        (f'"{CANARY}" = 1', "line 6: there is no such column"),
        (f"owner = '{CANARY}\\n'\nexpires = '{CANARY}'", "line 7 (expires): is no date"),
        ("owner = 5", "line 6 (owner): must be a string"),
        ('owner = "a\\u0007"', "line 6 (owner): holds a line break or control character"),
        ('needed = "pull"', "line 6 (needed): must be an array of strings"),
        ("needed = [1]", "line 6 (needed): must be an array of strings"),
        ("labels = {a = 1}", "line 6 (labels): must be a table of strings"),
        ('insecure = "yes"', "line 6 (insecure): must be true or false"),
        (f'password = "{CANARY}"', "line 6 (secret): is said twice"),
        ("expires = 2001-01-01", "line 6 (expires): is over already"),
    ],
)
def test_a_fault_is_named_by_line_and_key_and_no_value_is_shown(line, complaint):
    assert complaint in str(refused(f"{ONE}{line}\n"))


def test_a_line_break_in_a_secret_is_refused_and_a_missing_key_named():
    error = refused(f'[[principal]]\nregistry = "r.example"\nsecret = """{CANARY}\nx"""\naccount="x"\n\n[[principal]]\naccount = "x"\n')
    assert "line 3 (secret): holds a line break" in str(error)
    assert "line 7 (registry): is missing" in str(error)
    assert "line 7 (secret): is missing" in str(error)


def test_a_repeated_principal_is_refused_naming_both():
    assert "line 6: the same registry and account as line 2" in str(refused(ONE + ONE.lstrip("\n")))


@pytest.mark.parametrize(
    "text",
    [
        ONE.replace("principal", "principals"), ONE + '[other]\na = "x"\n', ONE.replace("[[", "[").replace("]]", "]"),
        'principal = "x"', "principal = [1]", f'secret = "{CANARY}"',
    ],
)  # fmt: skip
def test_anything_else_in_the_file_is_refused(text):
    error = refused(text)
    assert "something else than tables [[principal]]" in str(error)
    assert "registry, account and secret" in error.hint


def test_what_is_no_toml_is_named_by_its_place():
    error = refused(f'[[principal]]\nregistry = "r.example"\nsecret = "{CANARY}\n')
    assert "list.toml, line 3, character" in str(error)
    assert error.line == 3


def test_where_lines_cannot_be_told_the_principal_is_counted():
    assert "principal 2 (account): is missing" in str(
        refused(f'principal = [{{registry="r.example", account="x", secret="{CANARY}"}}, {{registry="s.example", secret="y"}}]')
    )


def test_what_looks_like_a_table_within_a_string_moves_no_line():
    error = refused("[[principal]]\nregistry='r.example'\npurpose='''\n[[principal]]\n'''\naccount='x'\nsecret='y'\n")
    assert "principal 1 (purpose): holds a line break" in str(error)
