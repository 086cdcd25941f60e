"""The log of a build while it is written: a blob that grows, read from where the last reading ended.

Sources: azure-cli ``acr/_stream_utils.py`` (HEAD tells length and metadata, ``Complete`` in whatever case is the end); Microsoft Learn
"Get Blob" (``Range``; 416 where there is nothing yet). It is text of others: nothing of it may move a cursor.
"""

from __future__ import annotations

import codecs
import re

from registryauth._http.messages import Request
from registryauth._http.retrying import MAX_PAUSE, retry_after
from registryauth.azure.builds import MAX_TROUBLES, passing, storage_refusal, without
from registryauth.errors import AzureError, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from registryauth._http.messages import Response
    from registryauth._origin import Url
    from registryauth.azure.builds import Builds

#: Bytes asked for at once, of a line that is held back until its end, and of a log that is shown.
_PIECE, _MAX_LINE, MAX_LOG = 4 * 1024 * 1024, 64 * 1024, 512 * 1024 * 1024
#: Seconds between two looks: at first, at most while nothing comes, and between two looks at the run itself.
_FIRST_PAUSE, _LONGEST_PAUSE, _STATUS = 1.0, 5.0, 10.0
#: Looks at the log of a run that is over before it is taken for whole although nothing says so: its last lines come late.
_LAST_LOOKS = 3
#: New links asked for, one after the other: a link lasts an hour, and a run up to eight.
_MAX_LINKS = 2
_BUSY = (429, 500, 502, 503, 504)
_NONE_YET, _EXPIRED, _NOTHING_NEW = 404, (401, 403), 416


class BuildLog:
    """Follows the log of the run *id_*, until *until* by the builds' clock at most; *is_over* says whether the run has come to its end.

    *complete* is what the blob's metadata says of the end, empty where they never did; *is_cut* whether the log is longer than `MAX_LOG`.
    """

    def __init__(self, builds: Builds, id_: str, is_over: Callable[[], bool], until: float = float("inf")) -> None:
        self._builds, self._id, self._is_over, self._until = builds, id_, is_over, until
        self._url: Url | None = None
        self._offset = 0
        self._length = 0
        # Looks that failed, at log and run, one after the other.
        self._troubles = 0
        self._links = 0
        self._has_ended = False
        self.complete = ""

    @property
    def is_cut(self) -> bool:
        """Whether there is more than was given."""
        return self._offset >= MAX_LOG

    def pieces(self) -> Iterator[bytes]:
        """The log as it comes, to its end: what is written when the run is over, or when the blob says that it is complete.

        Raise `AzureError` or `TransportError` where it cannot be had; what was given by then stays true.
        """
        pause, asked_at, left = _FIRST_PAUSE, self._builds.clock(), _LAST_LOOKS
        while not self.is_cut and self._builds.clock() <= self._until:
            before = self._offset
            seen = self._look()
            while seen and self._offset < min(self._length, MAX_LOG):
                at = self._offset
                yield from self._read()
                if self._offset == at:
                    break
            if seen and self._offset >= self._length and (self.complete or (self._has_ended and not left)):
                return
            left -= bool(self._has_ended and seen and left)
            pause = _FIRST_PAUSE if self._offset > before else min(pause * 1.5, _LONGEST_PAUSE)
            if not self._has_ended and (self._builds.clock() - asked_at >= _STATUS or not self._length):
                self._has_ended, asked_at = self._ended(), self._builds.clock()
            self._builds.sleep(_FIRST_PAUSE if self._has_ended else pause)

    def _ended(self) -> bool:
        try:
            return self._is_over()
        except (AzureError, TransportError) as error:
            self._troubles += 1
            if not passing(error) or self._troubles > MAX_TROUBLES:
                raise
            return False

    def _look(self) -> bool:
        """Learn how long it is by now, and whether that is all; False where that could not be told, and there is hope."""
        try:
            response = self._ask("HEAD")
        except AzureError as error:
            if error.status != _NONE_YET or self._has_ended:
                raise
            return True
        if response is None:
            return False
        with response:
            if response.status == _NONE_YET:
                return True
            if response.status != 200:
                self._trouble(response)
                return False
            length = response.headers.get("content-length")
            self._length = int(length) if length.isascii() and length.isdecimal() and len(length) < 19 else 0
            self.complete = next((value for name, value in response.headers if name.lower() == "x-ms-meta-complete"), "")
        if self._offset >= self._length:
            # What cannot be read although it is there stays a trouble.
            self._troubles = 0
        return True

    def _read(self) -> Iterator[bytes]:
        """What there is from the offset on, a piece of it; nothing where it broke off at once."""
        last = min(self._length, self._offset + _PIECE) - 1
        response = self._ask("GET", ("range", f"bytes={self._offset}-{last}"))
        if response is None:
            return
        with response:
            if response.status == _NOTHING_NEW:
                # It shrank: not the log that it was. What was read is all there is.
                self._length = self._offset
                return
            skip = self._offset if response.status == 200 else 0
            if response.status not in (200, 206) or (response.status == 206 and not self._continues(response)):
                self._trouble(response)
                return
            before = self._offset
            try:
                for chunk in response.chunks(64 * 1024):
                    piece = bytes(chunk[skip:]) if skip else bytes(chunk)
                    skip = max(0, skip - len(chunk))
                    self._offset += len(piece)
                    self._troubles = self._links = 0
                    if piece:
                        yield piece
            except TransportError as error:
                self._failed(error)
                return
        if self._offset == before:
            self._failed(TransportError("the log ended before its end", hint="a proxy may have cut it off"))

    def _continues(self, response: Response) -> bool:
        return re.match(rf"bytes {self._offset}-", response.headers.get("content-range")) is not None

    def _ask(self, method: str, *fields: tuple[str, str]) -> Response | None:
        """The answer, None where none came and there is hope."""
        try:
            self._url = self._url or self._builds.log_url(self._id)
            return self._builds.far.send(Request(method, self._url, fields))
        except AzureError as error:
            if not passing(error):
                raise
            self._failed(error)
        except TransportError as error:
            self._failed(error)
        return None

    def _failed(self, error: AzureError | TransportError) -> None:
        self._troubles += 1
        if self._troubles > MAX_TROUBLES:
            raise error
        self._builds.sleep(min(0.5 * 2.0**self._troubles, _LONGEST_PAUSE))

    def _trouble(self, response: Response) -> None:
        """Wait after an answer that is none; raise `AzureError` for one that stays."""
        wished = retry_after(response.headers.get("retry-after"), self._builds.clock())
        error = storage_refusal(response, "the log", response.url)
        if response.status in _EXPIRED and self._links < _MAX_LINKS:
            self._links += 1
            self._url = None
            return
        self._troubles += 1
        if response.status not in (*_BUSY, 206) or self._troubles > MAX_TROUBLES or (wished or 0) > MAX_PAUSE:
            raise error
        self._builds.sleep(min(0.5 * 2.0**self._troubles, _LONGEST_PAUSE) if wished is None else wished)


#: Ends of lines. A carriage return alone would write over what stands there: it ends a line as well. One at the very end of what has
#: come may have its newline still to come. Only the first of many is looked at, or a log of nothing else would take minutes.
_LINE_END = re.compile(r"(?<!\r)\r*\n|(?<!\r)\r+(?![\r\n]|\Z)")
#: Escape sequences (ECMA-48 §5.4, §8.3.89): CSI, then the strings that a terminal acts on (OSC, DCS, SOS, PM, APC), then any other.
_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?")
#: The one that colours (ECMA-48 §8.3.117): colours, bold, italic and underline, nothing that hides or blinks.
_NUMBER = r"(?:0?[0-4]|2[1-4]|3[0-79]|4[0-79]|9[0-7]|10[0-7]|[34]8;5;[0-9]{1,3}|[34]8;2;[0-9]{1,3};[0-9]{1,3};[0-9]{1,3})"
_COLOUR = re.compile(rf"\x1b\[(?:{_NUMBER}(?:;{_NUMBER})*)?m")


class Lines:
    """Bytes of a log as lines of text that can be printed; *secrets* are blotted out, *colours* are left in."""

    def __init__(self, *, secrets: tuple[str, ...] = (), colours: bool = False) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._secrets, self._colours = secrets, colours

    def feed(self, piece: bytes, *, last: bool = False) -> Iterator[str]:
        """The lines that *piece* ends; with *last*, also the one that nothing ends."""
        self._rest += self._decoder.decode(piece, last)
        *whole, self._rest = _LINE_END.split(self._rest)
        for line in whole:
            yield self._clean(line)
        while len(self._rest) > 2 * _MAX_LINE:
            # Before it is cut: a secret may stand at the place.
            rest = without(self._rest, self._secrets)
            line, self._rest = rest[:_MAX_LINE], rest[_MAX_LINE:]
            yield self._clean(line)
        if last and self._rest:
            line, self._rest = self._rest.rstrip("\r"), ""
            yield self._clean(line)

    def _clean(self, line: str) -> str:
        line = without(line, self._secrets)
        # A colour in the middle of a secret hides it from us, and from nobody who reads it.
        plain = clean(line)
        blotted = without(plain, self._secrets)
        return blotted if blotted != plain or not self._colours else clean(line, colours=True)


def clean(line: str, *, colours: bool = False) -> str:
    """*line* without what moves a cursor, hides or turns text around; with *colours* those stay, and end with it."""
    coloured = False

    def kept(match: re.Match[str]) -> str:
        nonlocal coloured
        if not (colours and _COLOUR.fullmatch(match[0])):
            return ""
        coloured = True
        return match[0].replace("\x1b", "\0")

    text = _ESCAPE.sub(kept, line.replace("\0", " "))
    text = "".join(char if char.isprintable() or char in "\t\0" else " " for char in text).replace("\0", "\x1b")
    return f"{text}\x1b[0m" if coloured else text
