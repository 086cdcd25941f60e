from __future__ import annotations

import tarfile

import pytest

from registryauth.errors import ContentError, UnsafeArchive
from registryauth.inspection import tree
from registryauth.inspection import view as view_module
from registryauth.inspection.tree import Budget, Directory, File
from registryauth.inspection.view import Absent, Found, Unknown

from .images import member, tar, view_of

X = b"x"


def real(view, path):
    """Where *path* leads, and in which layer that is; None if nowhere."""
    answer = view.find(path)
    if isinstance(answer, Found):
        return answer.path, getattr(answer.node, "layer", None)
    assert isinstance(answer, Absent)
    return None


def test_the_upper_of_two_files_counts():
    view = view_of({"etc/a": X, "etc/b": X}, {"etc/a": X})
    assert real(view, "/etc/a") == ("/etc/a", 1)
    assert real(view, "/etc/b") == ("/etc/b", 0)


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("etc/os-release", "../usr/lib/os-release"),
        ("etc/os-release", "/usr/lib/os-release"),
        ("etc/os-release", "./../etc/.././usr//lib/os-release"),
        ("etc/os-release", "../../../../usr/lib/os-release"),
    ],
)
def test_a_link_is_followed_absolute_or_relative_never_out_of_the_image(link, target):
    assert real(view_of({"usr/lib/os-release": X}, {"etc/": None, link: target}), "/etc/os-release") == ("/usr/lib/os-release", 0)
    # Neither matters which of the two is in which layer.
    assert real(view_of({"etc/": None, link: target}, {"usr/lib/os-release": X}), "/etc/os-release") == ("/usr/lib/os-release", 1)


def test_directories_may_be_links_and_links_may_lead_to_links():
    view = view_of({"bin": "usr/bin", "etc": "x", "usr/bin/sh": "dash", "usr/bin/dash": X, "x/os-release": "/bin/../lib/r", "lib/r": X})
    assert real(view, "/bin/sh") == ("/usr/bin/dash", 0)
    # ".." is the parent of where the link led, /usr, as it is for the kernel.
    assert real(view, "/etc/os-release") is None
    assert real(view, "/etc/../lib/r") == ("/lib/r", 0)


@pytest.mark.parametrize("files", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "a/a"}, {"a": "./a/../a"}])
def test_a_circle_of_links_leads_nowhere(files):
    assert real(view_of(files), "/a") is None


def test_a_chain_of_forty_links_is_followed_and_no_longer_one():
    chain = {f"{number}": f"{number + 1}" for number in range(41)} | {"41": X}
    assert real(view_of(chain), "/1") == ("/41", 0)
    assert real(view_of(chain), "/0") is None


def test_a_file_is_no_directory():
    assert real(view_of({"etc": X}), "/etc/os-release") is None
    assert real(view_of({"etc/a": X, "l": "etc/a/"}), "/l/b") is None


def test_a_whiteout_hides_what_is_below_it_and_not_what_is_above():
    lower, hidden, upper = {"etc/a": X}, {"etc/.wh.a": X}, {"etc/a": X}
    assert real(view_of(lower, hidden), "/etc/a") is None
    assert real(view_of(lower, hidden, upper), "/etc/a") == ("/etc/a", 2)
    assert real(view_of(lower, upper, hidden), "/etc/a") is None


def test_a_whiteout_never_hides_what_is_in_its_own_layer():
    for layer in ({"etc/.wh.a": X, "etc/a": X}, {"etc/a": X, "etc/.wh.a": X}):
        assert real(view_of({"etc/a": X}, layer), "/etc/a") == ("/etc/a", 1)


def test_a_directory_whited_out_and_made_anew_is_empty_of_what_was_in_it():
    view = view_of({"opt/m/old": X}, {"opt/.wh.m": X, "opt/m/new": X})
    assert real(view, "/opt/m/old") is None
    assert real(view, "/opt/m/new") == ("/opt/m/new", 1)


def test_an_opaque_directory_shows_its_own_layers_files_alone():
    for layer in ({"opt/new": X, "opt/.wh..wh..opq": X}, {"opt/.wh..wh..opq": X, "opt/new": X}):
        view = view_of({"opt/old": X, "opt/sub/old": X}, layer, {"opt/sub/newest": X})
        assert [real(view, path) for path in ("/opt/old", "/opt/sub/old")] == [None, None]
        assert real(view, "/opt/new") == ("/opt/new", 1)
        assert real(view, "/opt/sub/newest") == ("/opt/sub/newest", 2)


def test_an_opaque_root_hides_the_whole_image_below():
    assert real(view_of({"etc/a": X}, {".wh..wh..opq": X, "b": X}), "/etc/a") is None


def test_a_file_in_a_directorys_place_hides_all_that_was_in_it_even_once_it_is_a_directory_again():
    assert real(view_of({"opt/a": X}, {"opt": X}), "/opt/a") is None
    assert real(view_of({"opt/a": X}, {"opt": X}, {"opt/b": X}), "/opt/a") is None
    assert real(view_of({"opt/a": X}, {"opt": "x", "x/a": X}, {"opt/": None}), "/opt/a") is None


def test_a_directory_in_a_links_place_is_a_directory():
    view = view_of({"bin": "usr/bin", "usr/bin/sh": X}, {"bin/": None, "bin/bash": X})
    assert real(view, "/bin/sh") is None
    assert real(view, "/bin/bash") == ("/bin/bash", 1)


def test_links_of_its_own_layer_lead_an_entry_where_they_lead():
    content = tar(member("bin", tarfile.SYMTYPE, target="usr/bin"), member("bin/sh", content=X))
    assert real(view_of(content), "/usr/bin/sh") == ("/usr/bin/sh", 0)
    through = tar(member("a", tarfile.SYMTYPE, target="/b/../c"), member("a/f", content=X))
    assert real(view_of(through), "/c/f") == ("/c/f", 0)


def test_where_a_name_leads_is_looked_up_anew_when_what_led_there_was_replaced():
    before = [member("d/n/", tarfile.DIRTYPE), member("z/y/", tarfile.DIRTYPE), member("l", tarfile.SYMTYPE, target="d/n/..")]
    content = tar(*before, member("l/p", content=X), member("l/n", tarfile.SYMTYPE, target="/z/y"), member("l/q", content=X))
    view = view_of(content)
    assert real(view, "/d/p") == ("/d/p", 0)
    assert real(view, "/z/q") == ("/z/q", 0)


def test_a_later_entry_of_the_same_name_replaces_an_earlier_one():
    content = tar(member("etc/a", content=X), member("etc", tarfile.SYMTYPE, target="x"), member("x/a", content=b"last"))
    assert real(view_of(content), "/etc/a") == ("/x/a", 0)
    twice = tar(member("a", content=b"first"), member("a", content=b"last"))
    assert view_of(twice).find("/a").node.content == b"last"


def test_a_hard_link_is_another_name_of_the_same_file():
    content = tar(
        member("usr/bin/python3.6m", content=b"release"), member("usr/bin/python3.6", tarfile.LNKTYPE, target="./usr/bin/python3.6m")
    )
    answer = view_of(content).find("/usr/bin/python3.6")
    assert (answer.path, answer.node.content) == ("/usr/bin/python3.6", b"release")
    gone = view_of(content, {"usr/bin/.wh.python3.6m": X})
    assert real(gone, "/usr/bin/python3.6") == ("/usr/bin/python3.6", 0)
    link = tar(member("a", tarfile.SYMTYPE, target="b"), member("b", content=X), member("c", tarfile.LNKTYPE, target="a"))
    assert real(view_of(link), "/c") == ("/b", 0)


def test_a_hard_link_to_nothing_in_its_layer_is_nothing_that_can_be_told():
    view = view_of({"usr/bin/sh": X}, tar(member("bin/sh", tarfile.LNKTYPE, target="usr/bin/sh")))
    answer = view.find("/bin/sh")
    assert isinstance(answer, Unknown)
    assert "hard link" in answer.reason


@pytest.mark.parametrize("name", ["a/b", ".wh.etc", "./a/.wh.b"])
def test_a_global_header_that_an_engine_could_take_for_a_whiteout_is_refused(name):
    content = tar(member("pax_global_header", tarfile.XGLTYPE, content=b"13 mtime=1.0\n"), member("a", content=X))
    assert real(view_of(content), "/a") == ("/a", 0)
    with pytest.raises(UnsafeArchive, match="global header"):
        view_of(tar(member(name, tarfile.XGLTYPE)))


def test_what_aufs_kept_for_itself_is_passed_over():
    assert real(view_of({".wh..wh.plnk/": None, ".wh..wh.aufs": X, ".wh..wh.plnk/1.2": X, "a": X}), "/.wh..wh.plnk") is None


@pytest.mark.parametrize("name", ["../etc/passwd", "a/../../b", "/..", ".."])
def test_a_name_outside_of_the_image_is_refused(name):
    with pytest.raises(UnsafeArchive, match="outside"):
        view_of({name: X})


@pytest.mark.parametrize("name", ["/etc/a", "./etc/a", "etc//a", "etc/./a", "x/../etc/a", "//etc/a"])
def test_a_name_is_the_same_however_it_is_written(name):
    assert real(view_of({name: X}), "/etc/a") == ("/etc/a", 0)


@pytest.mark.parametrize("name", ["etc/.wh.", "etc/.wh..", "etc/.wh..."])
def test_a_whiteout_of_nothing_is_refused(name):
    with pytest.raises(UnsafeArchive, match="names no file"):
        view_of({name: X})


@pytest.mark.parametrize(
    "members",
    [
        [member("etc", content=X), member("etc/a", content=X)],
        [member("a", tarfile.SYMTYPE, target="a"), member("a/b", content=X)],
        [member("d/" * 300 + "a", content=X)],
    ],
)
def test_what_no_engine_could_unpack_is_said_to_be_that(members):
    with pytest.raises(ContentError, match="cannot be unpacked"):
        view_of(tar(*members))


def test_what_is_not_known_yet_is_not_said_to_be_absent():
    view = view_of({"etc/a": X, "opt/.wh..wh..opq": X, "usr/.wh.b": X, "l": "nowhere"}, complete=False)
    assert isinstance(view.find("/etc/b"), Unknown)
    assert isinstance(view.find("/l"), Unknown)
    assert isinstance(view.find("/opt/b"), Absent)
    assert isinstance(view.find("/usr/b/c"), Absent)
    assert isinstance(view.find("/etc/a/b"), Absent)
    assert view.names("/opt") == ({}, True)
    assert view.names("/etc") == ({"a": view.find("/etc/a").node}, False)
    assert view.names("/usr") == ({}, False)
    assert view.names("/nothing") == ({}, False)
    assert view.names("/etc/a") == ({}, True)


def test_the_root_is_there():
    answer = view_of({"a": X}).find("/")
    assert answer.path == "/"
    assert isinstance(answer.node, Directory)
    assert isinstance(answer.node.children["a"], File)


@pytest.mark.parametrize("limit", ["MAX_ENTRIES", "MAX_NAME_BYTES"])
def test_more_than_an_image_may_hold_is_refused(monkeypatch, limit):
    monkeypatch.setattr(tree, limit, 50)
    view_of({f"{number}": X for number in range(20)})
    with pytest.raises(UnsafeArchive, match="more than 50"):
        view_of({f"{number}": X for number in range(60)})
    # Implied directories, names of whiteouts and targets of links cost, too.
    for files in ({"a/" * 60: X}, {f".wh.{number}": X for number in range(60)}, {f"{number}": "t" for number in range(30)}):
        with pytest.raises(UnsafeArchive, match="more than 50"):
            view_of(files)


def test_only_so_much_content_is_kept_unasked():
    budget = Budget()
    assert not budget.keep(tree.MAX_FILE + 1)
    kept = sum(budget.keep(tree.MAX_FILE) for _ in range(1000))
    assert kept * tree.MAX_FILE == tree.MAX_KEPT


def test_a_directory_too_large_to_be_searched_again_and_again_is_refused(monkeypatch):
    monkeypatch.setattr(view_module, "MAX_NAMES", 50)
    view = view_of({f"usr/bin/{number}": X for number in range(51)} | {f"usr/lib/{number}": X for number in range(50)})
    assert len(view.names("/usr/lib")[0]) == 50
    with pytest.raises(UnsafeArchive, match="/usr/bin holds more than 50 files"):
        view.names("/usr/bin")
