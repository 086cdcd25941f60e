from __future__ import annotations

import io
import json
import tarfile

from registryauth.testing import RegistrySimulator
from registryauth.testing.file_systems import add_base_image, add_file_system, layer_of


def test_a_layer_is_a_tar_of_files_links_and_directories_the_same_every_time():
    files = {"etc/": None, "etc/a": b"content", "etc/b": "../x", "etc/.wh.c": b""}
    packed = layer_of(files)
    assert packed == layer_of(files)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert [(each.name, each.isdir(), each.linkname) for each in archive] == [
            ("etc", True, ""),
            ("etc/a", False, ""),
            ("etc/b", False, "../x"),
            ("etc/.wh.c", False, ""),
        ]
        assert archive.extractfile("etc/a").read() == b"content"


def test_an_image_of_such_layers_says_what_made_them_and_how_it_is_run():
    simulator = RegistrySimulator()
    layer = layer_of({"a": b"x"})
    digest = add_file_system(simulator, "team/x", "v1", [("RUN a", layer)], env={"PATH": "/bin"}, platform="linux/arm64")
    found, manifest = simulator.shelf.find("team/x", "v1")
    document = json.loads(manifest.content)
    assert found == digest
    config = next(json.loads(blob) for name, blob in simulator.shelf.blobs.items() if str(name) == document["config"]["digest"])
    assert (config["architecture"], config["config"]["Env"], config["history"]) == ("arm64", ["PATH=/bin"], [{"created_by": "RUN a"}])
    assert document["layers"][0]["digest"] == config["rootfs"]["diff_ids"][0]


def test_the_base_image_of_the_how_to_replaces_the_python_that_came_with_miniconda():
    simulator = RegistrySimulator()
    add_base_image(simulator, "team/base", "v1", python="3.5.6", conda="4.6.1")
    last = next(blob for blob in simulator.shelf.blobs.values() if b"conda-4.6.1-py35_0.json" in blob)
    assert b".wh.python-3.7.1" in last
    assert b"python-3.5.6" in last
