"""Who is asked, in which order, for which account: by the configuration and by --account."""

from __future__ import annotations

import pytest

from registryauth.config.keys import SOURCES
from registryauth.credentials import Anonymous, Basic
from registryauth.errors import CredentialNotFound, SourceFailed
from registryauth.reference import Address
from registryauth.resolver.assembly import TITLES
from registryauth.stores import Principal, Slot
from registryauth.stores.memory import MemoryStore

CANARY = "canary-7f3a"


@pytest.fixture
def everywhere(environ, home, write_json, basic):
    """Every source has a credential for host.example: the store (its accounts a and b), the environment, both files."""
    environ |= {"REGISTRYAUTH_REGISTRY": "host.example", "REGISTRYAUTH_USERNAME": "variable", "REGISTRYAUTH_PASSWORD": CANARY}
    write_json(home / ".docker/config.json", {"auths": {"host.example": basic("docker"), "other.example": basic("docker")}})
    write_json(home / ".config/containers/auth.json", {"auths": {"host.example": basic("containers")}})
    store = MemoryStore()
    store.put(Principal(Address.parse("host.example"), "a", (Slot(CANARY),), preferred_at=1))
    store.put(Principal(Address.parse("host.example"), "b", (Slot(CANARY),)))
    return store


def order(*names, host=""):
    table = f'[registries."{host}"]' if host else "[resolver]"
    return f"{table}\norder = {list(names)}\n".replace("'", '"')


@pytest.mark.parametrize(
    ("names", "source"),
    [
        (["store", "environment"], "store"),
        (["containers", "docker", "store"], "containers auth"),
        (["docker"], "docker config"),
        (["public", "explicit", "environment"], "environment"),
    ],
)
def test_the_order_is_the_one_configured(resolver, everywhere, names, source):
    assert resolver(everywhere, order(*names)).resolve("host.example/a").source == source
    assert resolver(everywhere, order(*names, host="host.example")).resolve("host.example/a").source == source


def test_the_variable_is_stronger_than_the_file(resolver, everywhere, environ):
    environ["REGISTRYAUTH_RESOLVER_ORDER"] = "containers, store"
    assert resolver(everywhere, order("docker")).resolve("host.example/a").source == "containers auth"


def test_who_is_left_out_is_not_asked_and_the_trace_says_by_which_rule(resolver, home, write_json):
    write_json(home / ".docker/config.json", b"{ this would be broken")
    with pytest.raises(CredentialNotFound) as caught:
        resolver(text=order("store", "public")).resolve("host.example/a")
    assert caught.value.trace[2:] == (
        "explicit argument: not asked: resolver.order leaves it out",
        "environment: not asked: resolver.order leaves it out",
        "docker config: not asked: resolver.order leaves it out",
        "containers auth: not asked: resolver.order leaves it out",
    )


def test_a_rule_is_for_one_registry(resolver, everywhere):
    found = resolver(everywhere, order("store", host="host.example"))
    assert found.resolve("host.example/a").source == "store"
    for other in ("host.example:5000/a", "sub.host.example/a"):
        with pytest.raises(CredentialNotFound) as caught:
            found.resolve(other)
        assert "not asked" not in "".join(caught.value.trace)
    assert found.resolve("other.example/a").source == "docker config"
    assert 'docker config: not asked: order under [registries."host.example"] leaves it out' in found.resolve("host.example/a").trace


def test_docker_hubs_rule_holds_under_each_of_its_names(resolver):
    with pytest.raises(CredentialNotFound) as caught:
        resolver(text=order("store", host="index.docker.io")).resolve("ubuntu")
    assert sum("not asked" in line for line in caught.value.trace) == 5


def test_docker_config_false_holds_against_every_order(resolver, everywhere):
    text = order("docker", "store") + "docker_config = false\n"
    secret = resolver(everywhere, text).resolve("host.example/a")
    assert secret.source == "store"
    assert "docker config: not asked: resolver.docker_config is false" in secret.trace


def test_without_the_public_source_nothing_is_anonymous(resolver):
    with pytest.raises(CredentialNotFound):
        resolver(text=order("store")).resolve("mcr.microsoft.com/x")
    assert resolver(text=order("store", "public")).resolve("mcr.microsoft.com/x").credential == Anonymous()


def test_every_name_of_the_configuration_is_a_source(resolver):
    assert tuple(TITLES) == SOURCES
    with pytest.raises(CredentialNotFound) as caught:
        resolver(text=order("public")).resolve("host.example/a")
    # Of workspaces nothing is said to whoever configured none.
    assert {line.partition(":")[0] for line in caught.value.trace} == set(TITLES.values()) - {"workspace"}
    workspace = '[workspaces.w]\nsubscription = "00000000-0000-4000-8000-000000000001"\nresource_group = "g"\n'
    with pytest.raises(CredentialNotFound) as caught:
        resolver(text=order("public") + "\n" + workspace).resolve("host.example/a")
    assert {line.partition(":")[0] for line in caught.value.trace} == set(TITLES.values())


# -- accounts --


def account(name, host="host.example"):
    return f'[registries."{host}"]\naccount = "{name}"\n'


def who(resolver):
    return resolver.resolve("host.example/a").credential.username


def test_the_account_of_a_rule_is_the_one_and_no_other_file_s_account_stands_in(resolver, everywhere, environ):
    del environ["REGISTRYAUTH_REGISTRY"], environ["REGISTRYAUTH_USERNAME"], environ["REGISTRYAUTH_PASSWORD"]
    assert who(resolver(everywhere, account("b"))) == "b"
    assert who(resolver(everywhere, account("docker"))) == "docker"
    assert who(resolver(everywhere, account("containers"))) == "containers"
    with pytest.raises(CredentialNotFound) as caught:
        who(resolver(everywhere, account("nobody")))
    assert "store: absent: no entry of account nobody, which the configuration names, for host.example" in caught.value.trace[2]
    assert caught.value.trace[3].endswith("account docker: not nobody, which was named")


def test_a_variable_is_stronger_than_the_account_of_a_rule(resolver, everywhere):
    assert who(resolver(everywhere, account("b"))) == "variable"


@pytest.mark.parametrize("name", ["b", "docker", "containers", "variable"])
@pytest.mark.parametrize("text", ["", account("a"), order("store", host="host.example"), order("docker", host="host.example")])
def test_an_account_that_was_asked_for_is_looked_for_everywhere_and_beats_every_rule(resolver, everywhere, name, text):
    assert who(resolver(everywhere, text, account=name)) == name


def test_an_account_that_is_nowhere_is_not_found(resolver, everywhere):
    with pytest.raises(CredentialNotFound) as caught:
        who(resolver(everywhere, account="nobody"))
    assert "store: absent: no entry of account nobody for host.example" in caught.value.trace[2]


def test_what_the_caller_passed_in_is_not_asked_for_its_account(resolver, everywhere):
    made = resolver(everywhere, explicit={"host.example": Basic("mine", "x")}, account="b")
    assert who(made) == "mine"


def test_an_account_does_not_hide_that_a_source_is_broken(resolver, home, write_json):
    write_json(home / ".docker/config.json", b"{")
    with pytest.raises(SourceFailed):
        resolver(account="a").resolve("host.example/a")
