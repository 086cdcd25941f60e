from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registryauth.config.keys import PROFILE_KEYS
from registryauth.inspection.fact import Fact, Sighting
from registryauth.inspection.rule import FACTS, Rule


def verdict(name, text, *seen, final=True):
    return Rule.parse(name, text).verdict(Fact(tuple(Sighting(*each) for each in seen), final))


@pytest.mark.parametrize(
    ("text", "name", "version", "status"),
    [
        ("Ubuntu 16.04+", "ubuntu", "16.04", "pass"),
        ("Ubuntu 16.04+", "ubuntu", "14.04", "fail"),
        ("Ubuntu 16.04+", "debian", "16.04", "fail"),
        ("ubuntu 18.04+ or debian 11+", "debian", "12", "pass"),
        ("ubuntu", "ubuntu", "4.10", "pass"),
        # Debian's testing and Arch say no version: that is no version to tell one by.
        ("debian 11+", "debian", "", "fail"),
        ("debian", "debian", "", "pass"),
        ("debian 11.2+", "debian", "11", "unconfirmed"),
        ("opensuse-leap 15.#", "opensuse-leap", "15.5", "pass"),
    ],
)
def test_a_distribution_is_known_by_its_id_and_version(text, name, version, status):
    assert verdict("os", text, (name, version)) == status


@pytest.mark.parametrize(
    ("seen", "final", "status"),
    [
        ((("python", "3.6.8"),), True, "pass"),
        ((("python", "3.6.8"), ("python", "3.5")), True, "pass"),
        ((("python", "3.6.8"), ("python", "2.7")), True, "fail"),
        ((("python", "3.6.8"), ("python", "")), True, "unconfirmed"),
        ((("python", "2.7"), ("python", "")), True, "fail"),
        ((), True, "fail"),
        ((("python", "3.6.8"),), False, "unconfirmed"),
        ((("python", "2.7"),), False, "unconfirmed"),
        ((), False, "unconfirmed"),
    ],
)
def test_all_that_was_seen_must_do_and_nothing_is_said_of_what_may_change(seen, final, status):
    assert verdict("pythons", "3.5.# or 3.6.#", *seen, final=final) == status


@pytest.mark.parametrize(("text", "kind", "status"), [("docker or oci", "oci", "pass"), ("docker", "oci", "fail")])
def test_the_image_type_is_a_word(text, kind, status):
    assert verdict("image_type", text, (kind,)) == status


def test_the_shell_is_a_path():
    assert verdict("shell", "/bin/sh", ("/bin/sh",)) == "pass"
    assert verdict("shell", "/bin/sh") == "fail"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("os", "16.04+"), ("os", "Ubuntu >= 16.04"), ("os", "Ubuntu 16.04+, Debian"), ("os", ""), ("os", "Ubuntu 16.04+ or"),
        ("shell", "bin/sh"), ("shell", "/bin/../sh"), ("shell", "/bin/sh "), ("shell", "/"), ("shell", "/" + "a" * 200),
        ("image_type", "podman"), ("image_type", ""), ("architecture", "x 86"), ("architecture", "AMD64"), ("conda", "latest"),
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused(name, text):
    with pytest.raises(ValueError, match="must "):
        Rule.parse(name, text)


@given(st.sampled_from(FACTS), st.text(max_size=60))
def test_any_text_is_a_rule_or_refused(name, text):
    try:
        rule = Rule.parse(name, text)
    except ValueError:
        return
    assert rule.verdict(Fact()) == "fail"


def test_the_configuration_knows_the_same_facts():
    assert {*FACTS, "source"} == set(PROFILE_KEYS)
