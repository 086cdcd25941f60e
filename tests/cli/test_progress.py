"""Progress on standard error."""

from __future__ import annotations

import os
import sys

import pytest

from registryauth.cli.progress import Style, shown, summary
from registryauth.content.descriptor import Descriptor
from registryauth.digest import Digest
from registryauth.transfer import Progress, Transferred

ROOT = Descriptor("application/vnd.oci.image.manifest.v1+json", Digest.of(b"root"), 4)


@pytest.mark.parametrize("style", [Style.BAR, Style.JSON])
def test_a_transfer_goes_on_where_nobody_reads_its_progress_any_more(monkeypatch, style):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", buffering=1) as gone, monkeypatch.context() as here:
        here.setattr(sys, "stderr", gone)
        with shown(style) as tell:
            for done in (1, 2):
                tell(Progress("fetch", Digest.of(b"x"), done, 2))
            # What comes after it, the result among it, is not lost either.
            sys.stderr.write("2 blobs fetched\n")


def drawn(capsys, *steps):
    with shown(Style.BAR) as tell:
        for at, (what, total) in enumerate(steps):
            tell(Progress(what, Digest.of(bytes([at])), total, total))
    return capsys.readouterr().err.rpartition("\r")[2].strip()


def test_the_line_ends_with_the_sums_that_the_verb_says(capsys):
    said = drawn(capsys, ("fetch", 100), ("foreign", 9), ("manifest", 7))
    assert said == "100 B of 100 B, 1 of 1 blob moved, 0 were there"
    assert summary(Transferred(ROOT, 1, 100), "fetched") == "1 blob (100 B) fetched, 0 were there."


def test_what_was_there_and_what_was_mounted_are_told_apart(capsys):
    said = drawn(capsys, ("send", 5), ("send", 5), ("present", 5), ("mounted", 5))
    assert said == "10 B of 10 B, 2 of 2 blobs moved, 1 mounted, 1 was there"
    done = Transferred(ROOT, 2, 10, present=1, mounted=1)
    assert summary(done, "sent", mounts=True) == "2 blobs (10 B) sent, 1 mounted, 1 was there."
