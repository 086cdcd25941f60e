from __future__ import annotations

import pytest

from registryauth.report.markup import MAX_TEXT, Markup, element, joined, raw_style


def test_text_is_escaped_and_elements_are_not():
    assert element("p", "<b>", element("b", "&"), class_='"') == '<p class="&quot;">&lt;b&gt;<b>&amp;</b></p>'


def test_what_only_looks_like_an_element_is_text():
    assert element("p", str(element("b"))) == "<p>&lt;b&gt;&lt;/b&gt;</p>"
    assert element("p", Markup("<b>") + "<i>") == "<p>&lt;b&gt;&lt;i&gt;</p>"


def test_names_of_attributes_are_python_names():
    assert element("td", data_name="x", class_=None, http_equiv="y") == '<td data-name="x" http-equiv="y"></td>'


@pytest.mark.parametrize(
    ("text", "shown"), [("a\x00b\u202ec", "a b c"), ("x" * (MAX_TEXT + 1), "x" * (MAX_TEXT - 1) + "…"), ("\u0627 \u0644", "\u0627 \u0644")]
)
def test_what_does_not_show_is_left_out(text, shown):
    assert joined([text]) == shown


def test_a_stylesheet_cannot_end_itself():
    with pytest.raises(ValueError, match="no use"):
        raw_style("a{}</style>")
