from __future__ import annotations

import pytest

from registryauth.config import load
from registryauth.errors import ConfigurationError
from registryauth.inspection import BUILT_IN, Profile, profile_named


def own(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_text(text)
    return load({"HOME": str(tmp_path), "REGISTRYAUTH_CONFIG": str(path)}, system_file=str(tmp_path / "absent")).profiles, str(path)


def rules(profile):
    return {rule.fact: rule.text for rule in profile.rules}


def test_ours_are_what_the_pages_of_their_years_asked_for():
    assert rules(profile_named("azureml-2019")) == {
        "image_type": "docker or oci", "os": "Ubuntu 16.04+", "conda": "4.5.#+", "python": "3.5.# or 3.6.#",
    }  # fmt: skip
    assert rules(profile_named("azureml-2020"))["python"] == "3.6+"
    assert rules(profile_named("azureml-2021")) == {
        "image_type": "docker or oci", "os": "Ubuntu 18.04+", "conda": "4.7.#+", "python": "3.7+", "shell": "/bin/sh",
    }  # fmt: skip
    assert all("Microsoft" in profile_named(name).source for name in BUILT_IN)


def test_the_users_profile_has_the_same_grammar_and_says_where_it_comes_from(tmp_path):
    profiles, path = own(
        tmp_path, '[profiles.base]\nshell = "/bin/bash"\npython = "3.8+"\nconda = ""\n[profiles.b]\nsource = "us"\nos = "alpine"\n'
    )
    base = profile_named("base", profiles)
    assert (rules(base), base.source) == ({"python": "3.8+", "shell": "/bin/bash"}, path)
    assert profile_named("b", profiles).source == "us"


@pytest.mark.parametrize(
    ("text", "key", "line", "words"),
    [
        ('[profiles.base]\nos = "Ubuntu 18.04+"\npython = "~3.8"\n', 'profiles."base".python', 3, "such as 3.6"),
        ('[profiles.base]\nshell = "sh"\n', 'profiles."base".shell', 2, "absolute path"),
        ('[profiles.base]\nsource = "us"\n', 'profiles."base"', 2, "has no rules"),
        ("[profiles.base]\n", 'profiles."base"', 0, "has no rules"),
    ],
)
def test_a_mistake_in_one_is_named_with_file_key_and_line(tmp_path, text, key, line, words):
    profiles, path = own(tmp_path, text)
    with pytest.raises(ConfigurationError, match=words) as caught:
        profile_named("base", profiles)
    assert (caught.value.key, caught.value.line) == (key, line)
    assert caught.value.file == (path if line else "")


def test_a_mistake_in_another_stands_in_nobodys_way(tmp_path):
    profiles, _ = own(tmp_path, '[profiles.base]\npython = "~3.8"\n')
    assert profile_named("azureml-2019", profiles).name == "azureml-2019"


def test_ours_are_not_redefined_in_silence(tmp_path):
    profiles, _ = own(tmp_path, '[profiles."azureml-2019"]\npython = "3.8+"\n')
    with pytest.raises(ConfigurationError, match="name of a profile of ours"):
        profile_named("azureml-2019", profiles)


def test_an_unknown_one_names_those_that_there_are(tmp_path):
    profiles, _ = own(tmp_path, '[profiles.base]\npython = "3.8+"\n')
    with pytest.raises(ConfigurationError, match="no profile azureml-2109") as caught:
        profile_named("azureml-2109", profiles)
    assert "azureml-2019" in caught.value.hint
    assert "base" in caught.value.hint


@pytest.mark.parametrize(("given", "words"), [({}, "no rules"), ({"ruby": "3"}, "a rule for ruby"), ({"python": "3,8"}, "python must be")])
def test_one_made_in_python_is_checked_too(given, words):
    with pytest.raises(ConfigurationError, match=words):
        Profile.of("mine", given)
    assert rules(Profile.of("mine", {"python": "3.8+", "os": "alpine"})) == {"os": "alpine", "python": "3.8+"}
