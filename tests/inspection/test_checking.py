"""An image in a registry, held to a profile: what is read, what is believed, what is said."""

from __future__ import annotations

import gzip
import json
import tarfile

import pytest

from registryauth._http import Response
from registryauth.content.descriptor import Platform
from registryauth.digest import Digest
from registryauth.errors import (
    ContentError,
    DigestMismatch,
    NotFound,
    RequirementsNotMet,
    SizeMismatch,
    UnsafeArchive,
    UnsupportedMediaType,
)
from registryauth.inspection import BUILT_IN, Profile, check, limits, profile_named, survey, tree, unpacking
from registryauth.inspection.limits import QUICK
from registryauth.reference import Reference
from registryauth.testing import faults
from registryauth.testing.file_systems import add_base_image, layer_of

from .images import DOCKER, MINICONDA, NAME, OCI, described, member, put, repository_of, tar

X = b"x"
OLD = {"etc/os-release": b"ID=ubuntu\nVERSION_ID=16.04\n"}
ANY = Profile.of("any", {"os": "ubuntu #"})


def statuses(report):
    return {finding.fact: finding.status for finding in report.findings}


def found(report):
    return {finding.fact: finding.found for finding in report.findings}


def test_the_how_tos_own_image_meets_its_own_profile(simulator, repository):
    digest = add_base_image(simulator, NAME, "v1")
    report = check(repository, "v1", profile_named("azureml-2019"))
    assert statuses(report) == dict.fromkeys(("image_type", "os", "conda", "python"), "pass")
    assert found(report) == {"image_type": "oci", "os": "ubuntu 16.04", "conda": "4.5.12", "python": "3.6.8"}
    assert report.met is True
    report.raise_unless_met()
    assert (report.digest, report.manifest, str(report.platform)) == (digest, digest, "linux/amd64")
    assert report.reference == f"r.example/{NAME}:v1"
    assert report.read == report.size
    assert {layer.state for layer in report.layers} == {"verified"}


@pytest.mark.parametrize(
    ("made", "verdicts"),
    [
        ({}, (True, True, False)),
        ({"ubuntu": "18.04", "conda": "4.7.5", "python": "3.7.4"}, (False, True, True)),
        ({"python": "2.7.18"}, (False, False, False)),
        ({"python": "3.5.6", "conda": "4.10.3"}, (True, False, False)),
        ({"ubuntu": "14.04"}, (False, False, False)),
        ({"conda": "4.4.11"}, (False, False, False)),
        ({"ubuntu": "22.04", "conda": "23.1.0", "python": "3.10.9"}, (False, True, True)),
    ],
)
def test_each_years_profile_is_that_years(simulator, repository, made, verdicts):
    add_base_image(simulator, NAME, "v1", **made)
    assert tuple(check(repository, "v1", profile_named(name)).met for name in BUILT_IN) == verdicts


def test_each_finding_names_its_layer_and_what_made_it(simulator, repository):
    add_base_image(simulator, NAME, "v1")
    report = check(repository, "v1", profile_named("azureml-2021"))
    evidence = {finding.fact: finding.evidence[0] for finding in report.findings}
    assert evidence["os"].layer == report.layers[0].digest
    assert (evidence["os"].path, evidence["os"].created_by) == ("/usr/lib/os-release", "ADD ubuntu.tar /")
    assert evidence["conda"].layer == report.layers[2].digest
    assert evidence["conda"].created_by == "RUN conda install -y conda=4.5.12 python=3.6"
    assert evidence["image_type"].layer is None


def test_what_is_not_met_is_an_error_that_names_each_rule(simulator, repository):
    add_base_image(simulator, NAME, "v1")
    report = check(repository, "v1", profile_named("azureml-2021"))
    assert report.met is False
    with pytest.raises(RequirementsNotMet) as caught:
        report.raise_unless_met()
    assert (caught.value.exit_code, caught.value.profile) == (7, "azureml-2021")
    assert caught.value.findings == (
        "os: Ubuntu 18.04+ is required, ubuntu 16.04 was found: fail",
        "conda: 4.7.#+ is required, 4.5.12 was found: fail",
        "python: 3.7+ is required, 3.6.8 was found: fail",
    )
    assert "shell" not in caught.value.message


def test_every_fact_can_be_asked_for(simulator, repository):
    add_base_image(simulator, NAME, "v1")
    report = survey(repository, Reference.parse(f"r.example/{NAME}:v1"))
    assert found(report) == {
        "image_type": "oci",
        "architecture": "amd64",
        "os": "ubuntu 16.04",
        "conda": "4.5.12",
        "python": "3.6.8",
        "pythons": "3.6.8",
        "shell": "/bin/sh -> /bin/dash",
    }
    assert set(statuses(report).values()) == {"final"}


def huge(answer, size, count):
    """An answer of *size* bytes, zeros made as they are asked for; *count* is told of each piece."""

    def read_into(buffer):
        count(len(buffer))
        return len(buffer)

    fields = [("content-length", str(size)), ("content-type", "application/octet-stream")]
    return Response(200, type(answer.headers)(fields), answer.url, read_into)


def test_facts_in_the_top_layers_of_an_image_of_five_gigabytes_cost_megabytes(simulator):
    """The layer below is five gigabytes, served by a generator that counts: not a byte of it is asked for."""
    top = {f"big/{number}": bytes(500_000) for number in range(4)} | OLD
    conda = {
        "opt/miniconda/conda-meta/conda-4.5.12-py36_0.json": X,
        "opt/miniconda/conda-meta/python-3.6.8-h0_0.json": X,
        "opt/miniconda/bin/python": "python3.6",
        "opt/miniconda/bin/python3.6": X,
        "bin/sh": X,
    }
    five = 5 * 1024**3
    below = Digest("sha256", "5" * 64)
    layers = [layer_of(conda), layer_of(top)]
    diff_ids = [str(below), *(str(Digest.of(layer)) for layer in layers)]
    config = {"rootfs": {"diff_ids": diff_ids}}
    rows = [
        {"mediaType": f"{OCI}.layer.v1.tar", "digest": str(below), "size": five},
        *(described(f"{OCI}.layer.v1.tar", layer) for layer in layers),
    ]
    put_rows(simulator, layers, config, rows)
    served = []
    simulator.interfere(
        lambda request, then: huge(then(request), five, served.append) if str(below) in request.url.target else then(request)
    )
    report = check(repository_of(simulator), "v1", profile_named("azureml-2019"))
    assert report.met is True
    assert served == []
    assert report.size > five
    assert report.read < 3 * 1024**2
    assert [layer.state for layer in report.layers] == ["not read", "verified", "verified"]

    # Which Pythons there are takes every layer: a quick look stops at its limit and says so.
    quick = check(repository_of(simulator), "v1", Profile.of("all", {"pythons": "3.6.#", "os": "ubuntu #"}), limit=QUICK)
    assert statuses(quick) == {"os": "pass", "pythons": "unconfirmed"}
    assert found(quick)["pythons"] == "3.6.8"
    assert quick.met is None
    assert 0 < sum(served) <= QUICK + 256 * 1024
    assert quick.layers[0].state == "read in part: not verified"
    assert quick.read <= QUICK + 512 * 1024


def put_rows(simulator, layers, config, rows):
    raw = json.dumps({"os": "linux", "architecture": "amd64", "config": {"Env": [f"PATH={MINICONDA}"]}} | config).encode()
    for blob in (raw, *layers):
        simulator.add_blob(blob)
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": described(f"{OCI}.config.v1+json", raw),
        "layers": rows,
    }
    simulator.shelf.add_manifest(NAME, manifest["mediaType"], json.dumps(manifest).encode(), tag="v1")


def test_a_fact_counts_only_when_its_layer_was_read_to_the_end(simulator, repository):
    """A later entry of the same name replaces an earlier one, so that nothing in the middle of a layer is final."""
    content = tar(
        member("etc/os-release", content=b"ID=ubuntu\nVERSION_ID=16.04\n"),
        member("big", content=bytes(600_000)),
        member("etc/os-release", content=b"ID=alpine\nVERSION_ID=3\n"),
    )
    put(simulator, [content])
    assert found(check(repository, "v1", ANY))["os"] == "alpine 3"
    quick = check(repository, "v1", ANY, limit=100_000)
    assert statuses(quick) == {"os": "unconfirmed"}
    assert found(quick) == {"os": "ubuntu 16.04"}


def test_a_quick_look_that_settles_everything_says_so(simulator, repository):
    put(simulator, [layer_of({"big": bytes(200_000)}), layer_of(OLD)])
    report = check(repository, "v1", ANY, limit=20_000)
    assert (report.met, [layer.state for layer in report.layers]) == (True, ["not read", "verified"])


def test_a_quick_look_never_says_fail_of_what_a_lower_layer_may_have(simulator, repository):
    put(simulator, [layer_of(OLD), layer_of({"big": bytes(200_000)})])
    report = check(repository, "v1", profile_named("azureml-2021"), limit=20_000)
    assert statuses(report) == {"image_type": "pass"} | dict.fromkeys(("os", "conda", "python", "shell"), "unconfirmed")
    assert report.met is None
    with pytest.raises(RequirementsNotMet, match="is not known to meet azureml-2021"):
        report.raise_unless_met()


@pytest.mark.parametrize(("limit", "state"), [(0, "not read"), (1, "read in part: not verified")])
def test_with_hardly_any_bytes_nothing_is_confirmed(simulator, repository, limit, state):
    put(simulator, [layer_of(OLD)])
    report = check(repository, "v1", ANY, limit=limit)
    assert (statuses(report), report.layers[0].state, report.layers[0].read) == ({"os": "unconfirmed"}, state, limit)


def test_gzip_layers_are_read_and_verified_packed_and_unpacked(simulator, repository):
    put(simulator, [gzip.compress(layer_of(OLD))], layer_type=f"{OCI}.layer.v1.tar+gzip")
    assert check(repository, "v1", ANY).met is True


def test_a_docker_image_is_told_from_an_oci_one(simulator, repository):
    layer = gzip.compress(layer_of(OLD))
    raw = json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [str(Digest.of(layer_of(OLD)))]}}).encode()
    simulator.add_blob(raw)
    docker(simulator, raw, layer)
    profile = Profile.of("docker", {"image_type": "docker", "os": "ubuntu #"})
    assert check(repository, "v1", profile).met is True


def docker(simulator, raw, layer):
    simulator.add_blob(layer)
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{DOCKER}.distribution.manifest.v2+json",
        "config": described(f"{DOCKER}.container.image.v1+json", raw),
        "layers": [described(f"{DOCKER}.image.rootfs.diff.tar.gzip", layer)],
    }
    simulator.shelf.add_manifest(NAME, manifest["mediaType"], json.dumps(manifest).encode(), tag="v1")


def test_an_os_release_under_any_other_name_is_read_again_and_verified_again(simulator, repository):
    files = {"etc/os-release": "/opt/a-name", "opt/a-name": b"ID=nixos\nVERSION_ID=24.05\n"}
    put(simulator, [layer_of(files), layer_of({"a": X})])
    report = check(repository, "v1", ANY)
    assert found(report) == {"os": "nixos 24.05"}
    # Once more than the image has: the layer came twice.
    assert report.read == report.size + report.layers[0].size


def test_what_comes_the_second_time_is_believed_no_more_than_the_first(simulator, repository):
    files = {"etc/os-release": "/opt/a-name", "opt/a-name": b"ID=nixos\nVERSION_ID=24.05\n"}
    layer, other = layer_of(files), layer_of(files | {"opt/a-name": b"ID=ubuntu\nVERSION_ID=16.04"})
    put(simulator, [layer])
    asked = []

    def swap(request, response):
        asked.append(request)
        return Response.of(200, [("content-length", str(len(other)))], request.url, other) if len(asked) > 1 else response

    simulator.alter(lambda request, response: swap(request, response) if str(Digest.of(layer)) in request.url.target else response)
    with pytest.raises(ContentError, match=str(Digest.of(layer))):
        check(repository, "v1", ANY)
    assert len(asked) == 2


def test_a_quick_look_does_not_read_again_beyond_its_limit(simulator, repository):
    layer = layer_of({"etc/os-release": "/opt/a-name", "opt/a-name": X})
    put(simulator, [layer])
    report = check(repository, "v1", ANY, limit=len(layer))
    assert statuses(report) == {"os": "unconfirmed"}
    assert report.findings[0].note == "the file that says it was not read"


def test_a_sparse_os_release_cannot_be_read(simulator, repository):
    info, _ = member("etc/os-release", pax={"GNU.sparse.map": "0,0", "GNU.sparse.size": "0"})
    put(simulator, [tar((info, b""))])
    with pytest.raises(UnsupportedMediaType, match="sparse"):
        check(repository, "v1", ANY)


def damaged(simulator, layer, **more):
    put(simulator, [layer_of({"a": X}), layer, layer_of({"b": X})], **more)
    return rf"layer 2 of 3, {Digest.of(layer)}: "


def test_a_damaged_layer_is_named(simulator, repository):
    for content in (b"a layer", gzip.compress(b"a layer"), layer_of({"a": X})[:700]):
        with pytest.raises(ContentError, match=damaged(simulator, content)) as caught:
            check(repository, "v1", ANY)
        assert caught.value.hint


def test_a_gzip_cut_short_is_named_though_its_digest_is_right(simulator, repository):
    content = gzip.compress(layer_of(OLD))[:-9]
    digest = simulator.add_blob(content)
    rows = [described(f"{OCI}.layer.v1.tar+gzip", content)]
    put_rows(simulator, [content], {"rootfs": {"diff_ids": [str(digest)]}}, rows)
    with pytest.raises(ContentError, match=f"layer 1 of 1, {digest}: its gzip is cut short"):
        check(repository, "v1", ANY)


def test_a_layer_that_unpacks_to_something_else_is_refused_as_engines_refuse_it(simulator, repository):
    layer = gzip.compress(layer_of(OLD))
    rows = [described(f"{OCI}.layer.v1.tar+gzip", layer)]
    put_rows(simulator, [layer], {"rootfs": {"diff_ids": [str(Digest.of(b"else"))]}}, rows)
    with pytest.raises(DigestMismatch, match=r"layer 1 of 1, .*configuration says"):
        check(repository, "v1", ANY)


@pytest.mark.parametrize(("fault", "error"), [(faults.wrong_body, ContentError), (faults.truncated_body, SizeMismatch)])
def test_a_registry_that_lies_is_found_out_and_nothing_is_said_of_the_image(simulator, repository, fault, error):
    layer = layer_of(OLD)
    put(simulator, [layer])
    simulator.alter(fault(f"blobs/{Digest.of(layer)}"))
    with pytest.raises(error, match=str(Digest.of(layer))):
        check(repository, "v1", ANY)


def test_another_configuration_in_the_right_ones_place_is_found_out(simulator, repository):
    put(simulator, [layer_of(OLD)])
    config = next(blob for blob in simulator.shelf.blobs.values() if blob.startswith(b"{"))
    other = config.replace(b"amd64", b"arm64")
    simulator.alter(
        lambda request, response: Response.of(200, [], request.url, other) if str(Digest.of(config)) in request.url.target else response
    )
    with pytest.raises(DigestMismatch, match="configuration"):
        check(repository, "v1", ANY)


def test_other_files_in_the_layers_place_are_found_out(simulator, repository):
    layer = layer_of({"etc/os-release": b"ID=alpine\nVERSION_ID=3.19\n"})
    lie = layer_of({"etc/os-release": b"ID=ubuntu\nVERSION_ID=16.4\n"})
    put(simulator, [layer])
    simulator.alter(
        lambda request, response: Response.of(200, [], request.url, lie) if str(Digest.of(layer)) in request.url.target else response
    )
    with pytest.raises(DigestMismatch):
        check(repository, "v1", ANY)


def test_bombs_of_every_kind_are_refused_with_the_layer_named(simulator, repository, monkeypatch):
    monkeypatch.setattr(unpacking, "ALWAYS_ALLOWED", 1024 * 1024)
    with pytest.raises(UnsafeArchive, match=damaged(simulator, gzip.compress(bytes(8 * 1024 * 1024)))):
        check(repository, "v1", ANY)
    monkeypatch.setattr(tree, "MAX_ENTRIES", 100)
    with pytest.raises(UnsafeArchive, match=damaged(simulator, layer_of({f"{n}": X for n in range(200)}))):
        check(repository, "v1", ANY)
    with pytest.raises(UnsafeArchive, match=damaged(simulator, layer_of({"a/" * 3000: X}))):
        check(repository, "v1", ANY)
    with pytest.raises(UnsafeArchive, match=damaged(simulator, tar(member("../../etc/cron.d/x", content=X)))):
        check(repository, "v1", ANY)


def test_entries_of_the_same_name_are_counted_over_all_layers(simulator, repository, monkeypatch):
    monkeypatch.setattr(tree, "MAX_ENTRIES", 100)
    layer = tar(*(member("a") for _ in range(60)))
    put(simulator, [layer, layer])
    with pytest.raises(UnsafeArchive, match="layer 1 of 2"):
        check(repository, "v1", ANY)


def test_nothing_is_written_to_a_disk(simulator, repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    put(simulator, [layer_of(OLD | {"link": "/etc/passwd"})])
    check(repository, "v1", ANY)
    assert list(tmp_path.iterdir()) == []


def test_an_index_is_followed_to_the_platform_asked_for(simulator, repository):
    alpine = {"etc/os-release": b"ID=alpine\nVERSION_ID=3\n"}
    images = {
        "linux/amd64": put(simulator, [layer_of(OLD)], tag=None),
        "linux/arm64/v8": put(simulator, [layer_of(alpine)], tag=None, config={"architecture": "arm64", "variant": "v8"}),
    }
    index = simulator.add_index(NAME, "v1", images)
    report = check(repository, "v1", ANY)
    assert (found(report)["os"], report.digest, report.manifest) == ("ubuntu 16.04", index, images["linux/amd64"])
    for platform in ("linux/arm64", Platform("linux", "arm64", "v8")):
        report = check(repository, str(index), ANY, platform=platform)
        assert (found(report)["os"], str(report.platform)) == ("alpine 3", "linux/arm64/v8")
        assert report.reference.endswith(f"@{index}")
    with pytest.raises(NotFound, match="nothing for linux/s390x"):
        check(repository, "v1", ANY, platform="linux/s390x")


def test_an_image_for_another_platform_than_the_one_asked_for_is_not_checked(simulator, repository):
    put(simulator, [layer_of(OLD)], config={"architecture": "arm64"})
    assert check(repository, "v1", ANY).met is True
    with pytest.raises(NotFound, match="is for linux/arm64, not for linux/amd64"):
        check(repository, "v1", ANY, platform="linux/amd64")


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"config": {"os": "windows"}}, UnsupportedMediaType, "is for windows"),
        ({"config": {"os": ""}}, UnsupportedMediaType, "no operating system"),
        ({"config": {"os": 1}}, ContentError, "os must be a string"),
        ({"config": {"rootfs": {"diff_ids": []}}}, ContentError, "has 1 layers, the image's configuration 0"),
        ({"config": {"rootfs": {"diff_ids": ["md5:abc"]}}}, ContentError, "diff_id that is no digest"),
        ({"config": {"config": {"Env": "PATH=/"}}}, ContentError, "Env must be an array"),
        ({"layer_type": f"{OCI}.layer.v1.tar+encrypted"}, UnsupportedMediaType, "encrypted"),
        ({"layer_type": "application/vnd.cncf.helm.chart.content.v1.tar+gzip"}, UnsupportedMediaType, "helm"),
    ],
)
def test_what_cannot_be_checked_is_said_to_be_that(simulator, repository, more, error, words):
    put(simulator, [layer_of(OLD)], **more)
    with pytest.raises(error, match=words):
        check(repository, "v1", ANY)


def test_an_artifact_is_no_image(simulator, repository):
    simulator.add_blob(b"{}")
    artifact(simulator)
    with pytest.raises(UnsupportedMediaType, match=r"is configured by application/vnd\.oci\.empty"):
        check(repository, "v1", ANY)


def artifact(simulator):
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": described("application/vnd.oci.empty.v1+json", b"{}"),
        "layers": [described("text/plain", b"{}")],
    }
    simulator.shelf.add_manifest(NAME, manifest["mediaType"], json.dumps(manifest).encode(), tag="v1")


def test_an_image_of_too_many_layers_is_refused_before_any_is_read(simulator, repository):
    put(simulator, [layer_of({})] * (limits.MAX_LAYERS + 1))
    with pytest.raises(ContentError, match="more than 500 layers"):
        check(repository, "v1", ANY)


def test_an_image_without_a_layer_is_an_answer(simulator, repository):
    put(simulator, [])
    assert statuses(check(repository, "v1", ANY)) == {"os": "fail"}


def test_a_layer_that_is_whited_out_whole_ends_the_reading(simulator, repository):
    put(simulator, [layer_of(OLD), layer_of({".wh..wh..opq": X, "a": X})])
    report = check(repository, "v1", profile_named("azureml-2021"))
    assert (report.met, report.layers[0].state) == (False, "not read")


def test_history_that_does_not_match_says_nothing(simulator, repository):
    put(simulator, [layer_of(OLD)], config={"history": [{"created_by": "a"}, {"created_by": "b"}]})
    assert check(repository, "v1", ANY).layers[0].created_by == ""
    put(simulator, [layer_of(OLD)], config={"history": [{"created_by": "a", "empty_layer": True}, {"created_by": "b"}]})
    assert check(repository, "v1", ANY).layers[0].created_by == "b"


def test_the_last_path_counts_and_a_relative_place_does_not(simulator, repository):
    python = {"opt/py/bin/python": "python3.9", "opt/py/bin/python3.9": X, "usr/bin/python": "python2.7", "usr/bin/python2.7": X}
    put(simulator, [layer_of(python)], config={"config": {"Env": ["PATH=/usr/bin", "PATH=bin:/opt/py/bin/:/usr/bin"]}})
    assert found(survey(repository, "v1"))["python"] == "3.9"
    put(simulator, [layer_of(python)], config={"config": None})
    assert found(survey(repository, "v1"))["python"] == "2.7"


def test_a_device_in_a_files_place_is_no_file(simulator, repository):
    put(simulator, [layer_of(OLD), tar(member("etc/os-release", tarfile.CHRTYPE))])
    assert statuses(check(repository, "v1", ANY)) == {"os": "fail"}


def test_a_broken_connection_costs_no_layer(simulator, repository):
    layer = layer_of(OLD | {"big": bytes(400_000)})
    put(simulator, [layer])
    simulator.alter(faults.cut_download(f"blobs/{Digest.of(layer)}", 300_000, times=1))
    assert check(repository, "v1", ANY, pause=lambda _: None).met is True


@pytest.mark.parametrize("after", [tar(member("../b", content=X)), b"rubbish" * 512])
def test_no_connection_outlives_what_was_wrong_with_its_content(simulator, repository, after):
    layer = tar(member("a", content=X))[:1024] + after + bytes(600_000)
    put(simulator, [layer])
    released = []

    def watched(request, response):
        release = response._release
        response._release = lambda: (released.append(True), release())
        return response

    simulator.alter(lambda request, response: watched(request, response) if str(Digest.of(layer)) in request.url.target else response)
    with pytest.raises(ContentError) as caught:
        check(repository, "v1", ANY)
    # The error, whose frames would keep it open, is still at hand.
    assert caught.tb
    assert released == [True]
