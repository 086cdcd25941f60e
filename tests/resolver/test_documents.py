from __future__ import annotations

import pytest

from registryauth.errors import ConfigurationError, SourceFailed
from registryauth.resolver.documents import read_document, read_file


def test_a_missing_file_is_no_document(tmp_path):
    assert read_document(str(tmp_path / "absent.json")) is None
    (tmp_path / "file").write_text("{}")
    assert read_document(str(tmp_path / "file/below.json")) is None


def test_an_impossible_path_is_an_error_of_the_callers_kind():
    with pytest.raises(SourceFailed, match="that is no path"):
        read_file("a\0b")
    with pytest.raises(ConfigurationError, match="that is no path"):
        read_file("a\0b", error=ConfigurationError)


def test_a_name_with_terminal_escapes_is_shown_without_them(tmp_path):
    path = tmp_path / "a\x1b[31mb.json"
    path.write_text("[]")
    with pytest.raises(SourceFailed) as caught:
        read_document(str(path))
    assert "\x1b" not in str(caught.value)
