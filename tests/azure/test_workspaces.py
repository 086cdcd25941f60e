"""Workspaces and their registries, as resource management has them, and what of it is remembered."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from registryauth.azure.access import Access
from registryauth.azure.azureml_folder import workspace_of_folder
from registryauth.azure.bindings import AGE, MAX_AGE, Binding, Bindings, cache_file
from registryauth.azure.container_registries import list_registries, read_registry
from registryauth.azure.resource_id import ResourceId
from registryauth.azure.rest import Rest
from registryauth.azure.wire import Wire
from registryauth.azure.workspaces import (
    WORKSPACES,
    AdminUser,
    admin_user,
    bound_registry,
    configured_id,
    find_workspace,
    read_workspace,
    workspace_id,
)
from registryauth.config import WorkspaceSettings, load
from registryauth.errors import AzureError, ConfigurationError, RealmRefused, TransportError, WorkspaceHasNoRegistry
from registryauth.reference import Registry
from registryauth.testing.azure import AzureSimulator

SUBSCRIPTION = "7b5c2b4e-0000-4000-8000-000000000001"
EXAMPLE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/ml/providers/Microsoft.MachineLearningServices/workspaces/prod"


@pytest.fixture
def now():
    return [1_900_000_000.0]


@pytest.fixture
def azure(now):
    return AzureSimulator(clock=lambda: now[0])


@pytest.fixture
def reader(azure):
    """Somebody who may look at everything."""
    app = azure.tenant().app("reader")
    azure.assign(app, "Reader")
    return app


@pytest.fixture
def rest(azure, reader):
    return _rest(azure, reader)


def _rest(azure, who):
    return Rest(azure.transport(), azure.cloud.management, lambda: azure.token(who), "Azure resource management", sleep=lambda _: None)


def id_of(workspace):
    return ResourceId.parse(workspace.id, WORKSPACES)


# -- which workspace --


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE,
        EXAMPLE.upper().replace(SUBSCRIPTION.upper(), SUBSCRIPTION),
        f"  {EXAMPLE}\n",
        EXAMPLE.replace("resourceGroups", "resourcegroups").replace("Microsoft.M", "microsoft.m"),
        f"{EXAMPLE}/",
    ],
)
def test_an_id_is_read_in_any_case_and_with_blanks_around_it(text):
    found = workspace_id(text)
    assert str(found).lower() == EXAMPLE.lower()
    assert found.is_same(workspace_id("prod", SUBSCRIPTION, "ml"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ab", "'ab' is no name that a workspace can have"),
        ("-prod", "no name that a workspace"),
        ("a" * 34, "no name that a workspace"),
        ("my prod", "no name that a workspace"),
        ("pröd", "no name that a workspace"),
        (EXAMPLE.replace("/prod", "/p.d"), "no name that a workspace"),
        (EXAMPLE.replace("MachineLearningServices", "MachineLerningServices"), "where microsoft.machinelearningservices belongs"),
        (EXAMPLE.replace("/workspaces/", "/workspace/"), "where workspaces belongs"),
        (EXAMPLE.replace(SUBSCRIPTION, "mine"), "is not the id of a subscription"),
        (EXAMPLE.rpartition("/workspaces")[0], "it has 6 parts, not 8"),
        ("/prod\x1b[2J", "it has 1 parts"),
    ],
)
def test_what_azure_cannot_have_is_named_by_its_part(name, words):
    with pytest.raises(ConfigurationError) as caught:
        workspace_id(name, SUBSCRIPTION, "ml")
    assert words in caught.value.message
    assert caught.value.hint
    assert "\x1b" not in caught.value.message


@pytest.mark.parametrize("name", ["abc", "a" * 33, "A_b-9", "9ws"])
def test_names_at_the_edges_of_the_grammar_are_taken(name):
    assert workspace_id(name, SUBSCRIPTION, "ml").name == name


@pytest.mark.parametrize(("said", "missing"), [({}, "subscription"), ({"subscription": SUBSCRIPTION}, "resource group")])
def test_a_name_alone_is_not_enough_and_the_error_says_what_else(said, missing):
    with pytest.raises(ConfigurationError, match=f"the {missing} is not known"):
        workspace_id("prod", said.get("subscription", ""))


def test_a_table_of_the_configuration_is_named_in_the_error():
    with pytest.raises(ConfigurationError, match=r'\[workspaces\."x"\]: .* not known'):
        configured_id("x", WorkspaceSettings(name="prod"))


# -- folders --


def _folder(path, document, place="config.json"):
    file = path / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
    return str(path)


GOOD = {"subscription_id": SUBSCRIPTION, "resource_group": "ml", "workspace_name": "prod"}


@pytest.mark.parametrize("place", ["config.json", ".azureml/config.json", "aml_config/config.json", ".azureml/project.json"])
def test_a_folder_says_which_workspace_it_is_and_so_does_one_in_it(tmp_path, place):
    folder = _folder(tmp_path, GOOD, place)
    (tmp_path / "a/b").mkdir(parents=True)
    for where in (folder, str(tmp_path / "a/b"), str(tmp_path / place)):
        assert str(workspace_of_folder(where)) == EXAMPLE


def test_the_nearest_folder_counts_and_a_foreign_project_file_does_not(tmp_path):
    _folder(tmp_path, GOOD)
    inner = _folder(tmp_path / "inner", GOOD | {"workspace_name": "other"}, ".azureml/config.json")
    _folder(tmp_path / "inner", b"not ours", "project.json")
    assert workspace_of_folder(inner).name == "other"


@pytest.mark.parametrize(
    "document",
    [
        {"Scope": EXAMPLE},
        {"Scope": f"{EXAMPLE}/projects/mine", "Id": "x"},
        b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
        {**GOOD, "workspace_name": " prod "},
    ],
)
def test_all_the_shapes_that_were_ever_written_are_read(tmp_path, document):
    assert str(workspace_of_folder(_folder(tmp_path, document))) == EXAMPLE


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"subscription_id": SUBSCRIPTION, "resource_group": "ml"}, "does not say workspace_name"),
        ({**GOOD, "resource_group": 5}, "resource_group must be a string"),
        ({**GOOD, "subscription_id": "canary"}, "not the id of a subscription"),
        ([], "must be an object"),
        (b"{", "is not JSON"),
        (b"<html>", "is not JSON"),
        (b" " * (64 * 1024 + 1), "larger than"),
        ({"Scope": "/subscriptions/x"}, "it has 2 parts"),
        ({**GOOD, "workspace_name": "a/b"}, "it has 2 parts"),
    ],
)
def test_a_file_that_says_something_else_is_refused_by_field(tmp_path, document, words):
    with pytest.raises(ConfigurationError) as caught:
        workspace_of_folder(_folder(tmp_path, document))
    assert words in caught.value.message


def test_a_folder_without_a_file_says_where_one_comes_from(tmp_path):
    (tmp_path / "config.json").mkdir()
    with pytest.raises(ConfigurationError, match=r"neither .* nor a folder above it") as caught:
        workspace_of_folder(str(tmp_path))
    assert "Download config.json" in caught.value.hint
    with pytest.raises(ConfigurationError, match="there is no folder"):
        workspace_of_folder(str(tmp_path / "gone"))


# -- what resource management says --


def test_a_workspace_names_its_registry_and_the_registry_its_login_server(azure, rest):
    registry = azure.registry("contosoacr", group="shared", domain_label_hash="e7ggejfuhzhgedc8", admin=True, anonymous_pull=True)
    workspace = azure.workspace("prod", group="ml", registry=registry)
    found = read_workspace(rest, id_of(workspace))
    assert found.guid == workspace.workspace_id
    read = read_registry(rest, bound_registry(found), azure.cloud)
    assert str(read.id) == registry.id
    assert read.login_server == Registry("contosoacr-e7ggejfuhzhgedc8.azurecr.io")
    assert (read.admin_enabled, read.anonymous_pull, read.mode) == (True, True, "classic")
    assert read.roles == "classic: AcrPull pulls"


def test_names_in_another_case_mean_the_same(azure, rest):
    azure.workspace("Prod", group="ML", registry=azure.registry("mine", group="ml"))
    found = read_workspace(rest, workspace_id("pROD", azure.subscription, "ml"))
    assert bound_registry(found).name.lower() == "mine"


def test_before_the_first_training_there_is_no_registry_and_that_is_an_error_of_its_own(azure, rest):
    workspace = azure.workspace("prod")
    with pytest.raises(WorkspaceHasNoRegistry, match="the workspace prod has no container registry yet") as caught:
        bound_registry(read_workspace(rest, id_of(workspace)))
    assert caught.value.exit_code == 3
    assert "first trained or deployed" in caught.value.hint
    assert "az ml workspace update --name prod --resource-group g" in caught.value.hint
    made = workspace.train()
    assert str(bound_registry(read_workspace(rest, id_of(workspace)))) == made.id


def test_the_mode_the_network_and_the_audience_are_read(azure, rest):
    def read(name, **said):
        azure.registry(name, **said)
        return next(each for each in list_registries(rest, azure.subscription, azure.cloud) if each.id.name == name)

    assert read("openone").network == "open to every address"
    assert read("closedone", public=False).network.startswith("closed to the public network")
    assert read("narrowone", firewall=["198.51.100.1", "198.51.100.0/24"]).network.startswith("open to 198.51.100.1, 198.51.100.0/24")
    many = read("manyone", firewall=[f"198.51.100.{i}" for i in range(9)]).network
    assert "198.51.100.4 and 4 more" in many
    abac = read("abacone", mode="abac", arm_audience=False)
    assert (abac.mode, abac.arm_audience) == ("abac", False)
    assert "Repository Reader" in abac.roles


def _answering(document):
    """Resource management that says *document* to everything."""
    from registryauth._http.messages import Response
    from registryauth.testing.direct_door import DirectDoor

    door = DirectDoor(lambda request: Response.of(200, [("content-type", "application/json")], request.url, json.dumps(document).encode()))
    azure = AzureSimulator()
    return Rest(door, azure.cloud.management, lambda: "token", "Azure resource management"), azure.cloud


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("", "has no login server"),
        (None, "has no login server"),
        ("evil.example", "which is not in azurecr.io"),
        ("x.azurecr.io.evil.example", "which is not in azurecr.io"),
        ("x.azurecr.cn", "which is not in azurecr.io"),
        ("a b\x1b[2J", "has no login server"),
    ],
)
def test_a_login_server_of_somewhere_else_is_refused(server, words):
    rest, cloud = _answering({"properties": {"loginServer": server}})
    with pytest.raises(AzureError) as caught:
        read_registry(rest, ResourceId(SUBSCRIPTION, "g", "Microsoft.ContainerRegistry/registries", "mine"), cloud)
    assert words in caught.value.message
    assert "\x1b" not in caught.value.message


def test_a_login_server_is_taken_in_lower_case():
    rest, cloud = _answering({"properties": {"loginServer": "MINE.azurecr.io "}})
    id_ = ResourceId(SUBSCRIPTION, "g", "Microsoft.ContainerRegistry/registries", "mine")
    assert read_registry(rest, id_, cloud).login_server.host == "mine.azurecr.io"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "has no properties"),
        ([], "must be an object"),
        ({"properties": {"containerRegistry": 7}}, "properties.containerRegistry must be a string"),
        ({"properties": {"containerRegistry": "mine.azurecr.io"}}, "names no registry that there can be"),
    ],
)
def test_an_answer_of_another_shape_is_an_error_and_never_no_registry(document, words):
    rest, _ = _answering(document)
    with pytest.raises(AzureError) as caught:
        read_workspace(rest, workspace_id(EXAMPLE))
    assert words in caught.value.message
    assert not isinstance(caught.value, WorkspaceHasNoRegistry)


def test_each_name_that_may_be_wrong_is_told_from_the_others(azure, rest, reader):
    azure.workspace("prod", group="ml")
    with pytest.raises(AzureError, match="there is no workspace prd ") as caught:
        read_workspace(rest, workspace_id("prd", azure.subscription, "ml"))
    assert (caught.value.exit_code, bool(caught.value.correlation_id)) == (3, True)
    with pytest.raises(AzureError, match="there is no resource group lm in subscription") as caught:
        read_workspace(rest, workspace_id("prod", azure.subscription, "lm"))
    assert caught.value.exit_code == 3
    with pytest.raises(AzureError) as caught:
        read_workspace(rest, workspace_id("prod", SUBSCRIPTION, "ml"))
    assert SUBSCRIPTION in caught.value.message
    assert caught.value.exit_code in (3, 4)
    stranger = azure.tenant().app("stranger")
    with pytest.raises(AzureError, match="you may not look at workspace prod") as caught:
        read_workspace(_rest(azure, stranger), workspace_id("prod", azure.subscription, "ml"))
    assert caught.value.exit_code == 4
    assert "Reader" in caught.value.hint


def test_a_workspace_is_found_by_its_name_in_a_subscription(azure, rest):
    azure.workspace("prod", group="ml")
    azure.workspace("twice", group="a")
    azure.workspace("twice", group="b")
    assert find_workspace(rest, azure.subscription, " PROD ").group == "ml"
    with pytest.raises(AzureError, match="has no workspace prd") as caught:
        find_workspace(rest, azure.subscription, "prd")
    assert caught.value.hint == "did you mean prod?"
    assert caught.value.exit_code == 3
    with pytest.raises(AzureError, match="2 workspaces are called twice") as caught:
        find_workspace(rest, azure.subscription, "twice")
    assert caught.value.hint == "give --resource-group: a, b"


# -- the admin user --


def test_the_admin_users_passwords_come_without_the_rest_of_the_answer(azure, reader):
    workspace = azure.workspace("prod")
    made = workspace.train()
    azure.assign(reader, "Contributor")
    found = admin_user(_rest(azure, reader), id_of(workspace))
    assert found == AdminUser(made.name, tuple(made.admin_passwords.values()))
    assert made.admin_passwords["password"] not in repr(found)
    assert "simulated-storage-key" not in repr(found._fields())


@pytest.mark.parametrize(
    "credentials",
    [None, {}, {"username": None, "passwords": None}, {"username": "x", "passwords": []}, {"username": "x", "passwords": [{"name": "p"}]}],
)
@pytest.mark.parametrize("storage", ["userStorageArmId", "userStorageResourceId"])
def test_without_an_admin_user_the_answer_is_none_in_every_shape(credentials, storage):
    rest, _ = _answering({storage: "x", "containerRegistryCredentials": credentials})
    assert admin_user(rest, workspace_id(EXAMPLE)) is None


def test_both_documented_shapes_of_the_keys_are_read():
    held = {"location": None, "username": "u", "passwords": [{"name": "password", "value": "1"}, {"name": "password2", "value": "2"}]}
    for storage in ("userStorageArmId", "userStorageResourceId"):
        rest, _ = _answering({"userStorageKey": None, storage: "x", "containerRegistryCredentials": held})
        assert admin_user(rest, workspace_id(EXAMPLE)) == AdminUser("u", ("1", "2"))


def test_who_may_not_list_keys_is_told_the_other_way(azure):
    workspace = azure.workspace("prod")
    workspace.train()
    scientist = azure.tenant().app("scientist")
    azure.assign(scientist, "AzureML Data Scientist", workspace)
    with pytest.raises(AzureError, match="refuses a look of its keys") as caught:
        admin_user(_rest(azure, scientist), id_of(workspace))
    assert "AcrPull" in caught.value.hint
    assert caught.value.exit_code == 4


def test_other_fields_of_the_answer_are_not_even_checked():
    rest, _ = _answering({"userStorageKey": 7, "notebookAccessKeys": [], "containerRegistryCredentials": None})
    assert admin_user(rest, workspace_id(EXAMPLE)) is None


# -- what is remembered --


@pytest.fixture
def access(azure, reader, home, now, tmp_path):
    """Access for the configuration in *text*, over the simulator; its environment has the reader's secret."""
    secret = reader.add_secret()
    environ = {
        "HOME": str(home), "PATH": str(tmp_path),
        "AZURE_TENANT_ID": azure.home.id, "AZURE_CLIENT_ID": reader.app_id, "AZURE_CLIENT_SECRET": secret.value,
    }  # fmt: skip

    def access(*workspaces):
        text = "\n".join(f'[workspaces.{each.name}]\nid = "{each.id}"' for each in workspaces)
        (tmp_path / "config.toml").write_text(text)
        config = load(environ | {"REGISTRYAUTH_CONFIG": str(tmp_path / "config.toml")}, system_file=str(tmp_path / "absent"))
        wire = Wire(azure.transport(), azure.transport())
        return Access(config, environ, open_=lambda: wire, clock=lambda: now[0], sleep=lambda _: None)

    return access


def arm(azure):
    return [request for request in azure.requests if request.url.origin == azure.cloud.management]


def test_a_binding_is_looked_up_once_and_then_known_to_other_processes(azure, access):
    registry = azure.registry("mine")
    workspace = azure.workspace("prod", registry=registry)
    first = Bindings.at_home(access(workspace))
    for _ in range(3):
        (found,) = first.of(Registry(registry.login_server))
    assert (found.workspace, found.host, found.registry_id) == ("prod", registry.login_server, registry.id)
    assert len(arm(azure)) == 2
    assert Bindings.at_home(access(workspace)).of(Registry(registry.login_server)) == (found,)
    assert Bindings.at_home(access(workspace)).of(Registry("other.azurecr.io")) == ()
    assert len(arm(azure)) == 2


def test_the_file_is_ours_alone_and_holds_no_secret(azure, access, reader):
    workspace = azure.workspace("prod")
    made = workspace.train()
    held = access(workspace)
    Bindings.at_home(held).of(Registry(made.login_server))
    path = cache_file(held.environ)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    text = Path(path).read_text()
    assert made.login_server in text
    for secret in (*made.admin_passwords.values(), reader.secrets[0].value, azure.token(reader)[:40]):
        assert secret not in text


def test_after_a_day_it_is_asked_again(azure, access, now):
    registry = azure.registry("mine")
    workspace = azure.workspace("prod", registry=registry)
    Bindings.at_home(access(workspace)).of(Registry(registry.login_server))
    now[0] += AGE - 1
    Bindings.at_home(access(workspace)).of(Registry(registry.login_server))
    assert len(arm(azure)) == 2
    workspace.registry = azure.registry("newone")
    now[0] += 2
    assert Bindings.at_home(access(workspace)).of(Registry(registry.login_server)) == ()
    assert len(arm(azure)) == 4


def test_a_registry_that_appears_is_found_minutes_later(azure, access, now):
    workspace = azure.workspace("prod")
    bindings = Bindings.at_home(access(workspace))
    assert bindings.get("prod").host == ""
    made = workspace.train()
    assert bindings.of(Registry(made.login_server)) == ()
    now[0] += 301
    assert bindings.of(Registry(made.login_server))[0].workspace == "prod"


def test_workspaces_that_share_a_registry_are_both_named(azure, access):
    registry = azure.registry("shared")
    both = [azure.workspace(name, registry=registry) for name in ("aaa", "bbb")]
    assert [each.workspace for each in Bindings.at_home(access(*both)).of(Registry("shared.azurecr.io"))] == ["aaa", "bbb"]


@pytest.mark.parametrize(
    ("host", "owned"),
    [
        ("mine-abc.azurecr.io", True),
        ("mine-abc.westeurope.geo.azurecr.io", True),
        ("mine-abc.westeurope.data.azurecr.io", False),
        ("mine.azurecr.io", False),
        ("xmine-abc.azurecr.io", False),
        ("mine-abc.azurecr.io.evil.example", False),
        ("mine-abcxazurecr.io", False),
    ],
)
def test_a_registry_owns_its_login_server_and_its_regions(host, owned):
    assert Binding("w", EXAMPLE, "", "mine-abc.azurecr.io").owns(Registry(host)) is owned
    assert not Binding("w", EXAMPLE, "", "").owns(Registry(host))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"version": 2}', b'{"version": 1, "workspaces": {"prod": {"host": "a b"}}}', b"x" * 2**21]
)
def test_a_file_that_is_not_ours_to_read_is_asked_for_again(azure, access, content):
    registry = azure.registry("mine")
    held = access(azure.workspace("prod", registry=registry))
    Bindings.at_home(held).get("prod")
    with open(cache_file(held.environ), "wb") as file:
        file.write(content)
    assert Bindings.at_home(held).get("prod").host == registry.login_server
    assert len(arm(azure)) == 4


def test_a_file_that_others_could_have_written_does_not_count(azure, access):
    held = access(azure.workspace("prod", registry=azure.registry("mine")))
    Bindings.at_home(held).get("prod")
    os.chmod(cache_file(held.environ), 0o666)
    Bindings.at_home(held).get("prod")
    assert len(arm(azure)) == 4


def test_another_workspace_by_the_same_name_is_not_taken_for_the_one_before(azure, access):
    first, second = azure.registry("first"), azure.registry("second")
    Bindings.at_home(access(azure.workspace("prod", group="a", registry=first))).get("prod")
    assert Bindings.at_home(access(azure.workspace("prod", group="b", registry=second))).get("prod").host == second.login_server


def test_where_azure_cannot_be_asked_what_is_known_holds_for_a_week(azure, access, now):
    registry = azure.registry("mine")
    workspace = azure.workspace("prod", registry=registry)
    Bindings.at_home(access(workspace)).get("prod")

    def down(request):
        raise TransportError("the network is down", hint="plug it in")

    azure.fault(down)
    now[0] += AGE + 1
    (found,) = Bindings.at_home(access(workspace)).of(Registry(registry.login_server))
    assert found.stale == "the network is down"
    now[0] += MAX_AGE
    with pytest.raises(TransportError, match="the network is down"):
        Bindings.at_home(access(workspace)).of(Registry(registry.login_server))


def test_where_azure_says_no_what_is_known_does_not_hold(azure, access, now):
    registry = azure.registry("mine")
    workspace = azure.workspace("prod", registry=registry)
    Bindings.at_home(access(workspace)).get("prod")
    now[0] += AGE + 1
    azure.workspaces.remove(workspace)
    with pytest.raises(AzureError, match="there is no workspace prod"):
        Bindings.at_home(access(workspace)).of(Registry(registry.login_server))


def test_a_failure_is_not_asked_for_again_at_once(azure, access, now):
    held = access(azure.workspace("prod", registry=azure.registry("mine")))
    azure.workspaces.clear()
    bindings = Bindings.at_home(held)
    for _ in range(3):
        with pytest.raises(AzureError):
            bindings.of(Registry("mine.azurecr.io"))
    assert len(arm(azure)) == 1
    now[0] += 61
    with pytest.raises(AzureError):
        bindings.of(Registry("mine.azurecr.io"))
    assert len(arm(azure)) == 2


def test_what_one_workspace_answers_counts_though_another_cannot(azure, access):
    registry = azure.registry("mine")
    gone, good = azure.workspace("gone"), azure.workspace("good", registry=registry)
    held = access(gone, good)
    azure.workspaces.remove(gone)
    bindings = Bindings.at_home(held)
    assert [each.workspace for each in bindings.of(Registry(registry.login_server))] == ["good"]
    with pytest.raises(AzureError, match="gone"):
        bindings.of(Registry("other.azurecr.io"))


def test_a_registry_that_was_deleted_is_said_to_be(azure, access):
    registry = azure.registry("mine")
    held = access(azure.workspace("prod", registry=registry))
    azure.registries.remove(registry)
    with pytest.raises(AzureError, match="the workspace prod names the registry mine, and there is none: was it deleted") as caught:
        Bindings.at_home(held).get("prod")
    assert caught.value.exit_code == 3
    assert "--container-registry ANOTHER" in caught.value.hint


def test_without_a_home_nothing_is_remembered_and_all_works(azure, access):
    held = access(azure.workspace("prod", registry=azure.registry("mine")))
    bindings = Bindings(held.config.workspaces, held, "")
    assert bindings.get("prod").host == "mine.azurecr.io"


def test_a_directory_that_cannot_be_written_stops_nothing(azure, access, tmp_path):
    held = access(azure.workspace("prod", registry=azure.registry("mine")))
    (tmp_path / "file").write_text("")
    bindings = Bindings(held.config.workspaces, held, str(tmp_path / "file/workspaces.json"))
    assert bindings.get("prod").host == "mine.azurecr.io"


def test_a_redirect_is_not_followed_with_the_token(azure, access):
    from registryauth._http.messages import Response

    held = access(azure.workspace("prod", registry=azure.registry("mine")))
    azure.fault(lambda request: Response.of(302, [("location", "https://portal.example/")], request.url), azure.cloud.management.host)
    with pytest.raises((AzureError, RealmRefused), match="elsewhere"):
        Bindings.at_home(held).get("prod")
    assert not [request for request in azure.requests if request.url.origin.host == "portal.example"]
