from __future__ import annotations

import pytest

from registryauth.errors import ConfigurationError, InvalidReference
from registryauth.exports.azureml_check import check
from registryauth.registries import Kind, kind_of

ALL_THREE = {"address": "my.azurecr.io", "username": "me", "password": "canary-7f3a"}
KNOWN = {"ws.azurecr.io": Kind.WORKSPACE}
STANDALONE = {"baseImage": "my.azurecr.io/a:1", "baseImageRegistry": "my.azurecr.io"}


@pytest.fixture
def judge():
    def judge(inference, *more):
        verdict = check(inference, *more, classify=lambda reference: kind_of(reference, KNOWN))
        assert "canary" not in repr(verdict)
        return verdict

    return judge


@pytest.mark.parametrize(
    ("inference", "image", "kind", "can", "why"),
    [
        (
            {"baseImage": "mcr.microsoft.com/a:1", "baseImageRegistry": "mcr.microsoft.com"},
            "mcr.microsoft.com/a:1",
            "public",
            True,
            "asks nobody",
        ),
        ({"baseImage": "ws.azurecr.io/a:1"}, "ws.azurecr.io/a:1", "workspace", True, "the workspace's own registry"),
        ({"baseImage": "azureml/azureml_1"}, "ws.azurecr.io/azureml/azureml_1:latest", "workspace", True, "own registry"),
        (STANDALONE, "my.azurecr.io/a:1", "standalone", False, "has no user name and password for it"),
        ({"baseImage": "a:1", "baseImageRegistry": "my.azurecr.io"}, "my.azurecr.io/a:1", "standalone", False, "standalone"),
        (
            {"baseImage": "a:1", "baseImageRegistry": ALL_THREE},
            "my.azurecr.io/a:1",
            "standalone",
            True,
            "has its address, user name and password",
        ),
        (
            {"baseImage": "a:1", "baseImageRegistry": ALL_THREE | {"password": None}},
            "my.azurecr.io/a:1",
            "standalone",
            False,
            "all three or none",
        ),
        (
            {"baseImage": "my.azurecr.io/a:1", "baseImageRegistry": ALL_THREE | {"address": ""}},
            "my.azurecr.io/a:1",
            "standalone",
            False,
            "all three",
        ),
        ({"baseImage": "ubuntu"}, "docker.io/library/ubuntu:latest", "standalone", False, "cannot be told from its name"),
        ({}, "", "", True, "Azure's own"),
        ({"environment": {"docker": {"baseDockerfile": "FROM x"}}}, "", "", True, "was not read"),
    ],
)
def test_workspace_and_public_yes_standalone_with_its_three_fields_alone(judge, inference, image, kind, can, why):
    verdict = judge(inference)
    assert (verdict.image, verdict.kind, verdict.can) == (image, kind, can)
    assert why in verdict.why
    assert verdict.puller == "the workspace's image build"
    assert can or verdict.advice


def test_what_to_do_instead_is_said(judge):
    assert "exports.azureml.apply" in judge(STANDALONE).advice
    assert "copy the image into the workspace's registry" in judge(STANDALONE).advice
    assert 'kind = "workspace" under [registries."my.azurecr.io"]' in judge(STANDALONE).advice
    assert 'kind = "public" under [registries."docker.io"]' in judge({"baseImage": "ubuntu"}).advice
    assert "not needed" in judge({"baseImage": "ws.azurecr.io/a", "baseImageRegistry": ALL_THREE | {"address": "ws.azurecr.io"}}).advice


@pytest.mark.parametrize(
    ("deployment", "target", "puller", "deployed"),
    [
        (None, "", "the workspace's image build", ""),
        ({"computeType": "aci"}, "", "the workspace's image build", "Azure Container Instances, from the workspace's registry"),
        ({"computeType": "AKS"}, "mine", "the workspace's image build", "the AKS cluster, from the workspace's registry (mine)"),
        (None, "mine", "the workspace's image build", "the AKS cluster, from the workspace's registry (mine)"),
        ({"computeType": "local"}, "", "docker on this machine", "docker on this machine"),
    ],
)
def test_who_pulls_goes_by_the_deployment(judge, deployment, target, puller, deployed):
    verdict = judge(STANDALONE, deployment, target)
    assert (verdict.puller, verdict.deployed, verdict.can) == (puller, deployed, False)


def test_aks_without_a_cluster_is_noticed(judge):
    assert "aks needs the cluster's name after --ct" in judge(STANDALONE, {"computeType": "aks"}).advice


@pytest.mark.parametrize("deployment", [{}, {"computeType": "moon"}, {"computeType": 5}, []])
def test_a_deployment_of_another_shape_is_refused(judge, deployment):
    with pytest.raises(ConfigurationError, match=r"deploymentconfig\.json: (computeType|the whole)"):
        judge(STANDALONE, deployment)


def test_a_host_that_is_written_twice_is_refused(judge):
    with pytest.raises(InvalidReference, match="written twice"):
        judge({"baseImage": "a.azurecr.io/a.azurecr.io/x"})
