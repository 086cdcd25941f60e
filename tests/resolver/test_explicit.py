from __future__ import annotations

from registryauth.credentials import Basic, IdentityToken
from registryauth.reference import Repository
from registryauth.resolver.answer import Absent
from registryauth.resolver.explicit import Explicit

SOURCE = Explicit({"host.example": Basic("host", "canary-7f3a"), "host.example/team": IdentityToken("canary-7f3a")})


def test_the_most_specific_address_wins():
    assert SOURCE.ask(Repository.parse("host.example/team/app")).fetch().credential == IdentityToken("canary-7f3a")
    assert SOURCE.ask(Repository.parse("host.example/teams/app")).fetch().credential == Basic("host", "canary-7f3a")


def test_it_says_below_which_path_it_is_good():
    assert SOURCE.ask(Repository.parse("host.example/team/app")).path == "team"
    assert SOURCE.ask(Repository.parse("host.example/other")).path == ""


def test_what_was_given_for_one_registry_is_not_offered_to_another():
    assert SOURCE.ask(Repository.parse("host.example.evil.example/team")) == Absent("explicit argument", "none given for it")
    assert Explicit().ask(Repository.parse("host.example/a")) == Absent("explicit argument", "none given")


def test_nothing_secret_shows():
    assert "canary" not in repr(SOURCE.ask(Repository.parse("host.example/team/app"))) + repr(SOURCE)
