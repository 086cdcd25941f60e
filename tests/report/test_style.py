from __future__ import annotations

import re

import pytest

from registryauth.report import style


def luminance(colour):
    """WCAG 2.2, "relative luminance"."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [style._LIGHT, style._DARK], ids=["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(theme):
    colours = dict(re.findall(r"--(\w+): (#\w{6})", theme))
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for name in ("text", "quiet", "link", "bad", "warn", "good"):
        for ground in ("ground", "panel"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    for name in ("bad", "warn", "good"):
        # A mark on the shaded part is no text: 3 is enough (WCAG 2.2, 1.4.11).
        assert contrast(colours[name], colours["soon"]) >= 3, name


def test_every_colour_that_is_used_has_a_name_and_a_value_in_both_themes():
    used = set(re.findall(r"var\(--(\w+)\)", style.CSS))
    for theme in (style._LIGHT, style._DARK):
        assert used == set(re.findall(r"--(\w+):", theme))
    plain = style.CSS.replace(style._LIGHT, "").replace(style._DARK, "")
    assert not re.findall(r"#[0-9a-f]{3,8}\b", plain)
