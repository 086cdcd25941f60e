from __future__ import annotations

import pytest

from registryauth.inspection.facts import Unread

from .images import image_with, known, member, tar, view_of

X = b"x"
UBUNTU = b'NAME="Ubuntu"\nVERSION_ID="16.04"\nID=ubuntu\nID_LIKE=debian\n'
META = "opt/miniconda/conda-meta"
BIN = "opt/miniconda/bin"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (UBUNTU, "ubuntu 16.04"),
        (b"ID=debian\nVERSION_ID='11'\n", "debian 11"),
        (b"# a comment\n\n  ID = x\nID=alpine # why not\nVERSION_ID=3.19.1", "alpine 3.19.1"),
        (b"ID=arch\n", "arch"),
        (b"VERSION_ID=1\n", "linux 1"),
        (b"ID=one\nID=two\n", "two"),
        (b'ID="opensuse-leap"\nVERSION_ID="15.5"\r\n', "opensuse-leap 15.5"),
        (b'ID="unclosed\nVERSION_ID=2\n', "linux 2"),
        (b"\xff\xfe\x00", "linux"),
        (b"", "linux"),
        (b"ID=\x1b[31mred\nVERSION_ID=1\x1b[0m\n", "[31mred 1 [0m"),
    ],
)
def test_os_release_is_read_as_its_manual_says(content, expected):
    assert known("os", {"etc/os-release": content}) == ([expected], True)


def test_the_os_release_in_etc_goes_before_the_one_in_usr_lib():
    both = {"etc/os-release": b"ID=etc", "usr/lib/os-release": b"ID=usr"}
    assert known("os", both) == (["etc"], True)
    assert known("os", both, {"etc/.wh.os-release": X}) == (["usr"], True)


def test_an_os_release_further_down_than_etc_is_not_final_before_all_was_read():
    assert known("os", {"usr/lib/os-release": UBUNTU}, complete=False) == (["ubuntu 16.04"], False)
    assert known("os", {"usr/lib/os-release": UBUNTU, "etc/.wh.os-release": X}, complete=False) == (["ubuntu 16.04"], True)
    assert known("os", {"etc/os-release": UBUNTU}, complete=False) == (["ubuntu 16.04"], True)
    assert known("os", {"etc/": None}, complete=False) == ([], False)


def test_lsb_release_is_asked_where_there_is_no_os_release():
    files = {"etc/lsb-release": b'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\nDISTRIB_DESCRIPTION="Ubuntu 10.04"\n'}
    assert known("os", files) == (["ubuntu 10.04"], True)
    assert known("os", files | {"etc/os-release": UBUNTU}) == (["ubuntu 16.04"], True)
    assert known("os", {"etc/": None}) == ([], True)


def test_what_is_no_file_is_no_os_release():
    assert known("os", {"etc/os-release": None, "usr/lib/os-release": UBUNTU}) == (["ubuntu 16.04"], True)


def test_content_that_was_not_kept_is_asked_for():
    files = {"etc/os-release": "/opt/some-name", "opt/some-name": b"x" * 5000}
    with pytest.raises(Unread) as caught:
        known("os", files)
    assert caught.value.file.number == 1


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"bin/sh": X}, ["/bin/sh"]),
        ({"bin": "usr/bin", "usr/bin/sh": "dash", "usr/bin/dash": X}, ["/bin/sh"]),
        ({"bin/sh": "/bin/busybox", "bin/busybox": X}, ["/bin/sh"]),
        ({"bin/sh": "/bin/busybox"}, []),
        ({"bin/sh": None}, []),
        ({"bin/bash": X}, []),
        ({}, []),
    ],
)
def test_a_shell_is_a_program_wherever_links_lead(files, expected):
    assert known("shell", files) == (expected, True)


def test_a_shell_that_may_not_be_run_is_none():
    assert known("shell", tar(member("bin/sh", content=X, mode=0o644))) == ([], True)


def records(*names):
    return {f"{META}/{name}.json": b"{}" for name in names}


def test_conda_is_known_by_its_record():
    assert known("conda", records("conda-4.5.12-py36_0", "conda-env-2.6.0-1", "conda-build-3.17-py36_0")) == (["conda 4.5.12"], True)
    assert known("conda", {f"{META}/history": X, f"{META}/conda-4.5.12.json": X}) == ([], True)


def test_the_record_that_an_upgrade_whites_out_does_not_count():
    upgrade = records("conda-4.5.12-py36_0") | {f"{META}/.wh.conda-4.5.11-py37_0.json": X}
    assert known("conda", records("conda-4.5.11-py37_0"), upgrade) == (["conda 4.5.12"], True)


def test_of_two_records_the_upper_layers_counts_and_is_final_at_once():
    # As a COPY of one Miniconda over another leaves them: what runs is the upper one.
    upper = records("conda-4.5.12-py36_0")
    assert known("conda", records("conda-4.7.10-py37_0"), upper) == (["conda 4.5.12"], True)
    assert known("conda", upper, complete=False) == (["conda 4.5.12"], True)


def test_the_conda_on_path_goes_before_others():
    other = {"opt/conda/conda-meta/conda-23.1.0-py310_0.json": X}
    assert known("conda", records("conda-4.5.12-py36_0") | other) == (["conda 4.5.12"], True)
    assert known("conda", records("conda-4.5.12-py36_0") | other, path="/opt/conda/bin:/opt/miniconda/bin") == (["conda 23.1.0"], True)
    assert known("conda", other) == (["conda 23.1.0"], True)
    # Whether there is one that goes before it is not known before all was read.
    assert known("conda", other, complete=False) == (["conda 23.1.0"], False)


def test_a_conda_is_not_final_while_one_that_goes_before_it_may_be_further_down():
    files = {"opt/conda/conda-meta/conda-23.1.0-py310_0.json": X, "opt/miniconda/bin/python": X}
    assert known("conda", files, complete=False, path="/opt/miniconda/bin") == (["conda 23.1.0"], False)
    sealed = files | {"opt/miniconda/.wh.conda-meta": X}
    assert known("conda", sealed, complete=False, path="/opt/miniconda/bin") == (["conda 23.1.0"], True)


def test_an_environment_is_not_final_while_another_may_be_further_down():
    gone = {"opt/.wh..wh..opq": X, "usr/.wh..wh..opq": X, ".wh.conda-meta": X, "bin": "usr/bin"}
    files = gone | {"azureml-envs/b/conda-meta/conda-4.9.2-0_0.json": X}
    assert known("conda", files, complete=False) == (["conda 4.9.2"], False)
    assert known("conda", files | {"azureml-envs/.wh..wh..opq": X}, complete=False) == (["conda 4.9.2"], True)


SEALED = {
    "opt/.wh..wh..opq": X,
    "azureml-envs/.wh..wh..opq": X,
    "usr/.wh.conda-meta": X,
    "usr/.wh.local": X,
    ".wh.conda-meta": X,
    "bin": "usr/bin",
}


def test_which_pythons_there_are_is_final_only_where_no_place_for_one_is_open():
    files = SEALED | {"usr/bin/python3.8": X, "usr/bin/.wh..wh..opq": X}
    assert known("pythons", files, complete=False) == (["python 3.8"], True)
    for sealed in ("opt/.wh..wh..opq", "azureml-envs/.wh..wh..opq", "usr/.wh.conda-meta", "usr/.wh.local", "usr/bin/.wh..wh..opq"):
        rest = {name: content for name, content in files.items() if name != sealed}
        assert known("pythons", rest, complete=False) == (["python 3.8"], False), sealed
    # An environment of another name may be further down.
    open_ones = {name: content for name, content in files.items() if not name.startswith("azureml")} | {"azureml-envs/.wh.conda-meta": X}
    for more in ({}, {"azureml-envs/b/conda-meta/.wh..wh..opq": X}):
        assert known("pythons", open_ones | more, complete=False) == (["python 3.8"], False)


def test_a_pythons_version_is_final_only_where_no_record_can_say_more():
    files = {"usr/bin/python": "python3.5", "usr/bin/python3.5": X}
    assert known("python", files, complete=False, path="/usr/bin") == (["python 3.5"], False)
    assert known("python", files | {"usr/.wh.conda-meta": X}, complete=False, path="/usr/bin") == (["python 3.5"], True)


def test_azures_environments_are_looked_at_last():
    files = {"azureml-envs/b/conda-meta/conda-4.9.2-0_0.json": X, "azureml-envs/a/conda-meta/python-3.8.5-0_0.json": X}
    assert known("conda", files) == (["conda 4.9.2"], True)
    assert known("pythons", files) == (["python 3.8.5"], True)


def test_an_image_without_conda_has_none_once_all_was_read():
    assert known("conda", {"etc/": None}) == ([], True)
    assert known("conda", {"etc/": None}, complete=False) == ([], False)
    assert known("conda", {".wh..wh..opq": X}, complete=False) == ([], True)


def conda_python(version, minor=None):
    minor = minor or ".".join(version.split(".")[:2])
    return records(f"python-{version}-h0_0") | {f"{BIN}/python": f"python{minor}", f"{BIN}/python{minor}": X}


def test_python_is_the_one_that_path_finds():
    system = {"usr/bin/python": "python2.7", "usr/bin/python2.7": X, "usr/bin/python3": "python3.5", "usr/bin/python3.5": X}
    both = system | conda_python("3.6.8")
    assert known("python", both) == (["python 3.6.8"], True)
    assert known("python", both, path="/usr/bin:/opt/miniconda/bin") == (["python 2.7"], True)
    assert known("python", both, complete=False) == (["python 3.6.8"], True)
    assert known("pythons", both) == (["python 3.6.8", "python 2.7", "python 3.5"], True)


def test_python3_will_do_where_there_is_no_python():
    system = {"usr/bin/python3": "python3.5", "usr/bin/python3.5": X}
    assert known("python", system) == (["python 3.5"], True)
    assert known("python", system, complete=False) == (["python 3.5"], False)


def test_the_python_that_the_how_tos_dockerfile_replaces_is_not_seen():
    chosen = conda_python("3.6.8") | {f"{META}/.wh.python-3.7.1-h0_0.json": X, f"{BIN}/.wh.python3.7": X}
    assert known("python", conda_python("3.7.1"), chosen) == (["python 3.6.8"], True)
    assert known("pythons", conda_python("3.7.1"), chosen) == (["python 3.6.8"], True)
    # Which Pythons there are is not known before the last layer.
    assert known("python", chosen, complete=False) == (["python 3.6.8"], True)
    assert known("pythons", chosen, complete=False) == (["python 3.6.8"], False)
    unhidden = conda_python("3.6.8")
    assert known("pythons", conda_python("3.7.1"), unhidden) == (["python 3.6.8", "python 3.7.1"], True)


def test_a_record_counts_only_if_the_programs_name_agrees():
    odd = records("python-3.7.1-h0_0") | {f"{BIN}/python": "python3.6", f"{BIN}/python3.6": X}
    assert known("python", odd) == (["python 3.6"], True)
    assert known("python", records("python-3.6.8-h0_0") | {f"{BIN}/python": X}) == (["python 3.6.8"], True)
    longer = records("python-3.10.4-h0_0") | {f"{BIN}/python": "python3.1", f"{BIN}/python3.1": X}
    assert known("python", longer) == (["python 3.1"], True)


def test_a_program_without_a_number_is_known_by_its_library_if_that_is_one():
    assert known("python", {f"{BIN}/python": X, "opt/miniconda/lib/python3.9/": None}) == (["python 3.9"], True)
    two = {f"{BIN}/python": X, "opt/miniconda/lib/python3.9/": None, "opt/miniconda/lib/python3.8/": None}
    assert known("python", two) == (["python"], True)


def test_a_python_that_is_not_on_path_is_said_to_be_that():
    assert known("python", conda_python("3.6.8"), path="/usr/bin") == (["python 3.6.8"], True)


def test_a_directory_or_a_file_that_may_not_be_run_is_no_python():
    assert known("python", {f"{BIN}/python": None, "usr/bin/python": X}) == (["python"], True)
    assert known("python", tar(member(f"{BIN}/python", content=X, mode=0o644))) == ([], True)


def test_hard_linked_pythons_are_told_by_their_own_names():
    content = tar(member("usr/bin/python3.5", content=X), member("usr/bin/python3.5m", b"1", target="usr/bin/python3.5"))
    assert known("pythons", content) == (["python 3.5"], True)


def test_the_same_program_by_two_ways_is_one():
    files = {"bin": "usr/bin", "usr/bin/python3.8": X}
    assert known("pythons", files) == (["python 3.8"], True)


def test_path_may_name_anything():
    files = {"python": "usr/bin/python3.5", "usr/bin/python3.5": X, "bin": "usr/bin"}
    assert known("python", files, path="/:/nowhere:/etc/passwd") == (["python 3.5"], True)
    assert known("python", files, path="") == ([], True)


def test_image_type_and_architecture_need_no_layer():
    from registryauth.inspection.facts import fact

    assert [str(fact(name, image_with(), view_of(complete=False)).seen[0]) for name in ("image_type", "architecture")] == ["oci", "amd64"]
