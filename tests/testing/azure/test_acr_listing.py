"""The registry's own listing API: attributes, pages, what is not there."""

from __future__ import annotations

import pytest

from .asking import ACR


@pytest.fixture
def listing(azure, ask, app, registry):
    """Asks ``/acr/v1`` with every right that there is."""
    azure.assign(app, "Owner", registry)
    scopes = ("registry:catalog:*", "repository:*:*")

    def get(path, method="GET", body=b""):
        return ask(method, f"{ACR}/acr/v1{path}", body, authorization=ask.bearer(app, *scopes))

    return get


def test_a_repository_counts_what_is_in_it(listing, registry):
    registry.images.add_image("team/app", "v2", (b"another",))
    said = listing("/team/app").json
    assert (said["registry"], said["imageName"], said["manifestCount"], said["tagCount"]) == ("myregistry.azurecr.io", "team/app", 2, 2)
    assert said["createdTime"] == "2023-11-14T22:13:20.1234567Z"
    assert said["changeableAttributes"]["deleteEnabled"] is True


def test_tags_and_manifests_name_each_other(listing, registry):
    digest = str(registry.images.shelf.tags["team/app"]["v1"])
    (tag,) = listing("/team/app/_tags").json["tags"]
    (manifest,) = listing("/team/app/_manifests").json["manifests"]
    assert (tag["name"], tag["digest"], manifest["digest"], manifest["tags"]) == ("v1", digest, digest, ["v1"])
    assert listing("/team/app/_tags/v1").json["tag"] == tag
    assert listing(f"/team/app/_manifests/{digest}").json["manifest"] == manifest


def test_lists_go_on_at_their_links(listing, registry):
    for number in range(5):
        registry.images.add_image("team/app", f"t{number}")
    seen, path = [], "/team/app/_tags?n=2"
    while path:
        answer = listing(path)
        seen += [one["name"] for one in answer.json["tags"]]
        path = answer.headers.get("link").partition(">")[0].removeprefix("</acr/v1")
    assert seen == ["t0", "t1", "t2", "t3", "t4", "v1"]


def test_the_catalog_of_an_empty_registry_is_null(azure, ask, app, listing, registry):
    assert listing("/_catalog").json == {"repositories": ["other", "team/app"]}
    registry.images.shelf.manifests.clear()
    assert listing("/_catalog").json == {"repositories": None}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/nothing", "NAME_UNKNOWN"), ("/team/app/_tags/none", "TAG_UNKNOWN"), ("/team/app/_manifests/sha256:00", "MANIFEST_UNKNOWN"),
        ("/team/app/_manifests/v1", "MANIFEST_UNKNOWN"), ("/UPPER", "NOT_FOUND"),
    ],
)  # fmt: skip
def test_what_is_not_there_has_its_code(listing, path, code):
    assert listing(path).code == (404, code)


def test_attributes_are_changed_and_shown(listing):
    changed = listing("/team/app/_tags/v1", "PATCH", {"deleteEnabled": False}).json
    assert changed["tag"]["changeableAttributes"]["deleteEnabled"] is False
    assert listing("/team/app").json["changeableAttributes"]["deleteEnabled"] is True


def test_a_tag_goes_alone_and_a_repository_with_all_that_is_in_it(listing, registry):
    assert listing("/team/app/_tags/v1", "DELETE").status == 202
    assert len(listing("/team/app/_manifests").json["manifests"]) == 1
    assert listing("/team/app", "DELETE").status == 202
    assert listing("/team/app").code == (404, "NAME_UNKNOWN")
