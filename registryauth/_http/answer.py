"""The head of an answer, read without `email`'s parser, which is a sixth of all that a small request costs a client.

`http.client.HTTPResponse` reads the body, from the fields that are set here, as it always does.
"""

from __future__ import annotations

import http.client
import re

from registryauth._http.messages import Headers

#: Bytes of a line, and lines of a head: what `http.client` allows.
_MAX_LINE = 65536
_MAX_LINES = 100

_STATUS = rb"HTTP/(1\.[0-9]) +([1-9][0-9]{2})(?:[ \t][^\r\n]*)?\r?\n"
#: RFC 9110 §5.6.2: what a field's name is made of.
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BLANK = b" \t"


class Answer(http.client.HTTPResponse):
    """An answer whose *fields* are its header fields in order."""

    fields = Headers()

    def begin(self) -> None:
        """Read the head; raise `http.client.HTTPException` for what is none, and ``RemoteDisconnected`` where nothing came at all."""
        version, status = self._status_line()
        while status == http.client.CONTINUE:
            self._read_fields()
            version, status = self._status_line()
        self.version = 10 if version == b"1.0" else 11
        self.code = self.status = status
        self.reason = ""
        self.fields = self._read_fields()
        # Asked for values by name, and that is all that is asked of it.
        self.headers = self.msg = self.fields  # type: ignore[assignment]
        self.chunked = self.fields.get("transfer-encoding").lower() == "chunked"
        self.chunk_left = None
        self.will_close = self._check_close()  # type: ignore[attr-defined]
        self.length = self._announced()
        # A body without a length ends with the connection (RFC 9112 §6.3).
        self.will_close = self.will_close or (self.length is None and not self.chunked)

    def _announced(self) -> int | None:
        if self.status in (204, 304) or self.status < 200 or self._method == "HEAD":  # type: ignore[attr-defined]
            return 0
        length = self.fields.get("content-length")
        return int(length) if not self.chunked and re.fullmatch(r"[0-9]{1,18}", length) else None

    def _status_line(self) -> tuple[bytes, int]:
        line = self._line()
        if not line:
            raise http.client.RemoteDisconnected("it closed the connection without an answer")
        match = re.fullmatch(_STATUS, line)
        if not match:
            raise http.client.BadStatusLine(line.decode("latin-1"))
        return match[1], int(match[2])

    def _read_fields(self) -> Headers:
        fields: list[tuple[str, str]] = []
        for _ in range(_MAX_LINES):
            line = self._line()
            if line in (b"\r\n", b"\n"):
                return Headers(fields)
            # Cut and stripped, not matched: a pattern that looks for the blanks at an end takes an hour over 64 KiB of them.
            content = line.removesuffix(b"\n").removesuffix(b"\r")
            name, colon, value = content.partition(b":")
            if line == content or b"\r" in content:
                raise http.client.HTTPException("the head of its answer is cut or malformed")
            if colon and _NAME.fullmatch(name):
                fields.append((name.decode("ascii"), value.strip(_BLANK).decode("latin-1")))
            elif fields and content[:1] in (b" ", b"\t"):
                # RFC 9112 §5.2: obsolete, and to be read as a space.
                last, so_far = fields[-1]
                fields[-1] = (last, f"{so_far} {content.strip(_BLANK).decode('latin-1')}")
            else:
                raise http.client.HTTPException("the head of its answer is cut or malformed")
        raise http.client.HTTPException(f"it sent more than {_MAX_LINES} header fields")

    def _line(self) -> bytes:
        line = self.fp.readline(_MAX_LINE + 1)
        if len(line) > _MAX_LINE:
            raise http.client.LineTooLong("header line")
        return line
