from __future__ import annotations

from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from registryauth.report import document

from .a_fleet import NOW, WITHIN, fleet

VOID = {"meta", "br", "hr", "col", "link", "img", "input"}


@pytest.fixture
def report():
    """The document on some records, by default of the whole fleet; each was used an hour ago unless *used* says otherwise."""

    def report(records=None, used=lambda _: NOW - 3600, within=WITHIN, asked=None):
        return document(fleet() if records is None else records, used, NOW, within, asked)

    return report


class Tree(HTMLParser):
    """A page taken apart: its elements in order, each with its own attributes and all its text; raises where tags do not match."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self._open = [], [], []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        element = SimpleNamespace(tag=tag, attributes=dict(attrs), text="", within=[each.tag for each in self._open])
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag):
        assert self._open.pop().tag == tag

    def handle_data(self, data):
        self.texts.append((self._open[-1].tag if self._open else "", data))
        for element in self._open:
            element.text += data

    def __getitem__(self, tag):
        return [element for element in self.elements if element.tag == tag]


@pytest.fixture
def tree():
    return Tree
