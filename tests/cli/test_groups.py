"""A verb that takes its options by the group is to typer what one with all of them is."""

from __future__ import annotations

import inspect
from typing import Annotated

import pytest
import typer

from registryauth.cli.app import group, single
from registryauth.cli.groups import Group, spread
from registryauth.cli.options import Access

Name = Annotated[str, typer.Option("--name", help="A name.")]
Count = Annotated[int, typer.Option("--count", min=1)]


class Both(Group):
    """Two options."""

    name: Name = "nobody"
    count: Count = 2


def verb(first: Annotated[str, typer.Argument()], *, both: Both, access: Access) -> str:
    """Do something."""
    return f"{first} {both.name} {both.count} {access.account!r} {access.insecure}"


@pytest.fixture
def called():
    """What the verb gives for arguments, through typer itself."""
    command = typer.main.get_command(single(verb))
    return lambda *argv: command.main(list(argv), prog_name="verb", standalone_mode=False)


def test_each_option_of_a_group_has_its_default(called):
    assert called("x") == "x nobody 2 '' False"


def test_each_option_of_a_group_can_be_given(called):
    assert called("--count", "3", "x", "--insecure", "--name", "n", "--account", "a") == "x n 3 'a' True"


def test_a_group_s_options_are_checked_and_described_as_any(called, capsys):
    with pytest.raises(typer.BadParameter):
        called("x", "--count", "0")
    called("--help")
    assert "A name." in capsys.readouterr().out


def test_typer_sees_the_options_in_the_place_of_the_group():
    assert list(inspect.signature(spread(verb)).parameters) == [
        "first",
        "name",
        "count",
        "account",
        "workspace",
        "allow_admin_user",
        "insecure",
        "ca_file",
    ]
    assert spread(verb).__doc__ == "Do something."


def test_a_verb_without_groups_stays_as_it_is():
    def plain(name: Name = "") -> None: ...

    assert spread(plain) is plain


def test_a_command_of_a_group_of_verbs_may_take_them_too():
    app = group("Verbs.")
    app.callback()(lambda: None)
    assert app.command("do")(verb) is verb
    command = typer.main.get_command(app)
    assert command.main(["do", "x", "--count", "7"], prog_name="verbs", standalone_mode=False) == "x nobody 7 '' False"
