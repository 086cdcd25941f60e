from __future__ import annotations

import gzip
import json

from registryauth.digest import Digest
from registryauth.testing.content_shelf import ContentShelf


def test_a_gzipped_layer_is_typed_so_and_its_diff_id_is_of_the_tar():
    shelf = ContentShelf()
    layer = gzip.compress(b"a tar")
    digest = shelf.add_image("a", "v1", [layer], "linux/amd64")
    manifest = json.loads(shelf.manifests["a"][digest].content)
    config = json.loads(shelf.blobs[Digest.parse(manifest["config"]["digest"])])
    assert manifest["layers"] == [
        {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": str(Digest.of(layer)), "size": len(layer)}
    ]
    assert config["rootfs"]["diff_ids"] == [str(Digest.of(b"a tar"))]


def test_a_tag_moves_and_the_old_manifest_stays():
    shelf = ContentShelf()
    old = shelf.add_image("a", "v1", [b"1"], "linux/amd64")
    new = shelf.add_image("a", "v1", [b"2"], "linux/amd64")
    assert shelf.find("a", "v1")[0] == new
    assert shelf.find("a", str(old))[0] == old
    assert shelf.find("b", "v1") is None
