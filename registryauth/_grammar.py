r"""The grammars of the field, each under the production it comes from.

Patterns are plain strings, ASCII only, for `re.fullmatch` and nothing else: Python's ``$`` matches
before a final newline and its ``\w`` is Unicode, so neither appears here. `re` compiles each once.
"""

from __future__ import annotations

# https://github.com/distribution/reference/blob/main/regexp.go
#   alphanumeric := /[a-z0-9]+/    separator := /[._]|__|[-]+/
ALPHANUMERIC = r"[a-z0-9]+"
SEPARATOR = r"(?:[._]|__|-+)"
PATH_COMPONENT = rf"{ALPHANUMERIC}(?:{SEPARATOR}{ALPHANUMERIC})*"
PATH = rf"{PATH_COMPONENT}(?:/{PATH_COMPONENT})*"

#   domain-component := /([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])/
DOMAIN_COMPONENT = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)"
DOMAIN_NAME = rf"{DOMAIN_COMPONENT}(?:\.{DOMAIN_COMPONENT})*"
#   IPv6: no zone identifier, no IPv4-mapped form
IPV6 = r"\[[a-fA-F0-9:]{2,39}\]"
HOST = rf"(?:{DOMAIN_NAME}|{IPV6})"
PORT = r"[0-9]{1,5}"

#   tag := /[\w][\w.-]{0,127}/
TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"

# RFC 9110 §5.6.2: tchar
TCHAR = r"[!#$%&'*+.^_`|~0-9A-Za-z-]"
TOKEN = rf"{TCHAR}+"

# RFC 3986, narrowed to what a registry may name: http or https, no userinfo, no fragment, visible
# ASCII. A backslash is refused: browsers and libraries disagree whether it ends the authority.
URL = rf"(?P<scheme>[Hh][Tt][Tt][Pp][Ss]?)://(?P<host>{HOST})(?::(?P<port>{PORT}))?(?P<target>[/?][!-\[\]-~]*)?"

# C0, DEL, C1, and the Unicode controls that reorder or hide text.
CONTROL = "[\\x00-\\x1f\\x7f-\\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
