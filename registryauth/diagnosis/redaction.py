"""Secrets that are known, blotted out of whatever is about to be shown: the last line of defence, not the first."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus, unquote

BLOT = "***"
#: Characters below which a secret would blot out words.
_SHORTEST = 6
#: Variables of which the value is a secret, ours and other programs'.
_CALLED_SECRET = r"(?i)PASS(?:WORD|WD|PHRASE)?\Z|PASSPHRASE|SECRET|TOKEN|AUTH_CONFIG|API_?KEY|_PAT\Z"  # noqa: S105 - names
_USERINFO = r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s]*@"
#: What typically carries a secret in a query: presigned links of storage services.
_SIGNATURE = r"(?i)(?P<name>[?&](?:sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature|token|code)=)[^&\s#]+"


class Blotter:
    """Blots *secrets* out of texts in the forms in which they travel, and what looks like a password in a URL."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Know *secrets*, too; those too short to be told from words do not count."""
        for secret in secrets:
            if len(secret) >= _SHORTEST:
                self._forms |= _forms(secret)

    def text(self, text: str) -> str:
        """*text* without them."""
        for form in sorted(self._forms, key=len, reverse=True):
            text = text.replace(form, BLOT)
        return re.sub(_SIGNATURE, rf"\g<name>{BLOT}", re.sub(_USERINFO, rf"\g<scheme>{BLOT}@", text))

    def plain(self, data: Any) -> Any:  # noqa: ANN401 - any JSON
        """*data*, which JSON can hold, without them, in keys and in values."""
        if isinstance(data, str):
            return self.text(data)
        if isinstance(data, Mapping):
            return {self.text(str(key)): self.plain(value) for key, value in data.items()}
        if isinstance(data, Sequence):
            return [self.plain(value) for value in data]
        return data


def of_environment(environ: Mapping[str, str]) -> list[str]:
    """The secrets in *environ*: values of variables that are called so, and passwords in URLs."""
    named = [value for name, value in environ.items() if re.search(_CALLED_SECRET, name)]
    userinfos = [found for value in environ.values() for found in re.findall(r"://([^/?#\s@]*:[^/?#\s]*)@", value)]
    userinfos += [
        value.rpartition("@")[0]
        for name, value in environ.items()
        if name.upper().endswith("_PROXY") and "@" in value and "://" not in value
    ]
    return [*named, *(form for userinfo in userinfos for form in (userinfo.partition(":")[2], unquote(userinfo.partition(":")[2])))]


def without_userinfo(text: str) -> str:
    """*text*, which somebody typed as a reference, without what may be a user name and a password before the host."""
    head, at, tail = text.rpartition("@")
    # A digest is what may stand behind an @ in a reference.
    if not at or re.fullmatch(r"[a-z0-9+._-]+:[0-9a-f]+", tail):
        return without_userinfo(head) + at + tail if at and "@" in head else text
    return f"{BLOT}@{tail}"


def _forms(secret: str) -> set[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    forms = {secret, quote(secret, errors="replace"), quote(secret, "", errors="replace"), quote_plus(secret, errors="replace")}
    forms |= {encode(raw).decode("ascii").rstrip("=") for encode in (base64.b64encode, base64.urlsafe_b64encode)}
    return {form for form in forms if len(form) >= _SHORTEST}
