"""Blobs on their way up: mounted, sent whole, in pieces, or on from where a broken connection left off."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator

from registryauth._buffers import new_buffer
from registryauth._http import Request, Response
from registryauth._http.messages import Body
from registryauth._origin import Url
from registryauth.auth import Scope
from registryauth.client import endpoints
from registryauth.client.client import Client
from registryauth.client.shortcuts import MOUNT, SINGLE_POST
from registryauth.content.verify import size_of
from registryauth.digest import Digest
from registryauth.errors import AuthError, ContentError, Error, RegistryError, TransportError
from registryauth.reference import Repository

#: Bytes handed to the socket at a time.
PIECE = 256 * 1024
#: Bytes of a chunk where a registry takes no blob whole.
CHUNK = 16 * 1024 * 1024
#: Bytes that a registry may make us send in one chunk (its OCI-Chunk-Min-Length); more is no minimum but a refusal.
_MAX_CHUNK = 1024**3
#: Bytes of the least chunk that is tried where a proxy calls larger ones too large; nginx takes 1 MiB unless told otherwise.
_MIN_CHUNK = 256 * 1024
#: Sessions tried for one blob. A registry that loses a session, or a connection, loses it rarely twice.
_MAX_SESSIONS = 3
#: How often a session may stand still or fall back before it is given up.
_MAX_STUCK = 2
#: Seconds after which a registry has noticed that a connection broke, and what had arrived is in the session.
_NOTICED = 0.5
#: Bytes of a blob that may come with the POST which else opens its upload: a request saved is worth more than to send this many twice,
#: once for each registry that takes none. (Go servers drop a connection on which more than 256 KiB were left unread.)
SINGLE = 64 * 1024
#: Statuses that speak of a moment: as good as a broken connection.
_BUSY = (429, 502, 503, 504)
#: Seconds that a session whose upload was called off is given to be cancelled.
_FAREWELL = 1.0
#: Codes of a session that cannot be gone on with (distribution-spec, "Error Codes"; ACR says INVALID where it lost one).
_LOST = ("BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID")

Progress = Callable[[int], None]


def file_body(path: str, progress: Progress = lambda _: None) -> Body:
    """The content of the file *path*, read while it is sent; raise `ContentError` if it cannot be read, or is no plain file."""
    return slice_of(path, 0, size_of(path), progress)


def slice_of(path: str, start: int, end: int, progress: Progress = lambda _: None) -> Body:
    """The bytes of the file *path* from *start* up to *end*; *progress* is told how far into the file we are."""

    def pieces() -> Iterator[memoryview]:
        buffer = new_buffer(min(PIECE, end - start))
        try:
            with open(path, "rb", buffering=0) as file:
                file.seek(start)
                at = start
                while at < end and (count := file.readinto(buffer[: end - at])):
                    yield buffer[:count]
                    at += count
                    progress(at)
        except OSError as error:
            raise ContentError(f"cannot read {path}: {error.strerror}") from error

    return Body(end - start, pieces, path, start, progress)


class Upload:
    """One blob for one repository: *part* gives the bytes of it from one offset up to another."""

    def __init__(self, client: Client, repository: Repository, digest: Digest, size: int, part: Callable[[int, int], Body]) -> None:
        self._client = client
        self._repository = repository
        self._digest = digest
        self._size = size
        self._part = part
        self._session: Url | None = None
        self._whole = True
        self._least = 0
        # What the session can hold at most, and whether it was taken up in the middle.
        self._offered = 0
        self._resumed = False

    def send(self, mount_from: Repository | None = None) -> bool:
        """Put the blob there; False if it was mounted, from *mount_from* or wherever the registry found it, and nothing was sent.

        The repository itself as *mount_from* asks whether it has the blob. Raise `RegistryError` if the registry refuses it,
        `TransportError` if the connection broke in every session.
        """
        try:
            return self._send(mount_from)
        except Error as error:
            if not isinstance(error, TransportError):
                self.cancel()
            raise
        except BaseException:
            # Called off: by Ctrl-C, or because another blob failed. It may have been that nobody answers, so it must not wait for that.
            if self._session:
                farewell = threading.Thread(target=self.cancel, name="cancel", daemon=True)
                farewell.start()
                farewell.join(_FAREWELL)
            raise

    def cancel(self) -> None:
        """Give the session up, so that the registry need not keep it (end-14); whether it does is its business."""
        session, self._session = self._session, None
        if session is None:
            return
        try:
            self._ask(endpoints.ask_upload(session, method="DELETE")).close()
        except Error:
            return

    def _send(self, mount_from: Repository | None) -> bool:
        elsewhere = mount_from and mount_from != self._repository
        if elsewhere and self._mounted(mount_from):
            return False
        if self._session is None and self._posted():
            return True
        if self._session is None and not elsewhere and self._mounted(mount_from):
            return False
        for left in reversed(range(_MAX_SESSIONS)):
            try:
                if self._session is None:
                    self._start()
                if self._fill():
                    return True
            except (TransportError, RegistryError) as error:
                # The answer may have been lost that said that it is there.
                if _passing(error) and self._session and self._is_there():
                    return True
                if not left or not (_passing(error) or self._is_lost(error)):
                    raise
            self._session, self._resumed = None, False
        raise RegistryError(f"{self._repository}: the registry lost the upload of {self._digest} every time", hint="try again later")

    def _posted(self) -> bool:
        """Whether the registry took it with the POST that else opens a session (end-4b); if it opened one, that is filled."""
        origin = self._client.origin(self._repository.registry)
        # Of another algorithm than sha256 a session would have to be told.
        if not 0 < self._size <= SINGLE or not self._whole or self._digest.algorithm != "sha256":
            return False
        if not self._client.shortcuts.may_try(SINGLE_POST, origin):
            return False
        build = lambda o: endpoints.single_post(o, self._repository.path, self._digest, self._part(0, self._size))  # noqa: E731 - one line
        try:
            with self._client.send(self._repository, build, "pull", "push") as response:
                if response.status in (401, 403):
                    self._expect(response)
                if response.status == 202 and response.headers.get("location"):
                    self._opened(response)
                if created := self._created(response):
                    self._client.shortcuts.took(SINGLE_POST, origin)
                return created
        except TransportError:
            return False

    def _mounted(self, source: Repository | None) -> bool:
        """Whether the registry took it from *source*, from anywhere if that is None; if it opened a session, that is filled.

        Whatever is wrong with mounting is no error: then it is sent.
        """
        origin = self._client.origin(self._repository.registry)
        if source is None:
            # Not every registry knows what is meant; what opens no session is asked once.
            if self._digest.algorithm != "sha256" or not self._client.shortcuts.may_try(MOUNT, origin):
                return False
        elif source.registry != self._repository.registry:
            return False
        path, needed = (source.path, (Scope.of(source, "pull"),)) if source else ("", ())
        build = lambda o: endpoints.mount(o, self._repository.path, self._digest, path)  # noqa: E731 - one line
        try:
            with self._client.send(self._repository, build, "pull", "push", *needed) as response:
                if response.status == 202:
                    self._opened(response)
                created = self._created(response)
                if source is None and (created or self._session):
                    self._client.shortcuts.took(MOUNT, origin)
                return created
        except (AuthError, RegistryError, TransportError):
            return False

    def _created(self, response: Response) -> bool:
        """Whether a 201 says that the blob is there: the specification asks for a Location, and some give its digest instead."""
        where, claimed = response.headers.get("location"), response.headers.get("docker-content-digest")
        return response.status == 201 and bool(where or claimed) and claimed in ("", str(self._digest))

    def _start(self) -> None:
        build = lambda o: endpoints.start_upload(o, self._repository.path, self._digest.algorithm)  # noqa: E731 - one line
        with self._client.send(self._repository, build, "pull", "push") as response:
            self._expect(response, 202)
            self._opened(response)

    def _opened(self, response: Response) -> None:
        least = response.headers.get("oci-chunk-min-length")
        self._least = int(least) if least.isascii() and least.isdecimal() and len(least) < 12 else 0
        self._offered = 0
        self._session = self._location(response)

    def _fill(self) -> bool:
        """Whether the session took the blob; False if the registry does not know it any more."""
        if not self._whole:
            return self._send_chunks(0)
        self._offered = self._size
        try:
            with self._ask(endpoints.put_upload(self._here, self._digest, self._part(0, self._size))) as response:
                if response.status != 413 or not self._size:
                    return self._closed(response)
            self._whole = False
            held = self._held() or 0
        except (TransportError, RegistryError) as error:
            held = self._held_after(error) or 0 if _passing(error) else 0
            if not held:
                raise
        return self._send_chunks(held)

    def _send_chunks(self, offset: int) -> bool:
        size = min(max(self._least, CHUNK), _MAX_CHUNK)
        self._resumed = offset > 0
        stuck, best = 0, offset
        while offset < self._size:
            trouble: Error | None = None
            try:
                reached = self._patch(offset, min(offset + size, self._size))
            except (TransportError, RegistryError) as error:
                if getattr(error, "status", 0) == 413 and size > max(self._least, _MIN_CHUNK):
                    size = max(size // 4, self._least, _MIN_CHUNK)
                    continue
                if not _passing(error):
                    raise
                trouble, reached, self._resumed = error, self._held_after(error), True
            stuck, best = (0, reached) if reached is not None and reached > best else (stuck + (reached is None or reached <= offset), best)
            if trouble and (reached is None or stuck > _MAX_STUCK):
                raise trouble
            if reached is None or stuck > _MAX_STUCK:
                return False
            offset = reached
        with self._ask(endpoints.put_upload(self._here, self._digest)) as response:
            return self._closed(response)

    def _patch(self, offset: int, end: int) -> int | None:
        """How many bytes the session holds now; None if it is lost, or says what cannot be."""
        self._offered = max(self._offered, end)
        with self._ask(endpoints.patch_upload(self._here, offset, self._part(offset, end))) as response:
            if response.status == 404:
                return None
            # 416: the registry has another offset in mind, and says which.
            self._expect(response, 202, 416)
            self._session = self._location(response)
            told = "range" in response.headers
            if told or response.status == 202:
                return self._told(response, end) if told else end
        return self._held()

    def _held_after(self, trouble: Error) -> int | None:
        """As `_held`, once the registry had the time to notice *trouble*."""
        if isinstance(trouble, TransportError):
            self._client.pause(_NOTICED)
        return self._held()

    def _held(self) -> int | None:
        """How many bytes the session holds; None if that cannot be told."""
        try:
            with self._ask(endpoints.ask_upload(self._here)) as response:
                if response.status not in (200, 204):
                    return None
                self._session = self._location(response)
                return self._told(response)
        except (TransportError, RegistryError):
            return None

    def _told(self, response: Response, hoped: int = 0) -> int | None:
        """How many bytes the registry holds, by its ``Range: 0-N`` (N is the last one); None if that is not what was offered to it."""
        match = re.fullmatch(r"(?:bytes=)?0-([0-9]{1,18})", response.headers.get("range"))
        reached = int(match[1]) + 1 if match else None
        if reached is None or reached > self._offered:
            return None
        # distribution says 0-0 of an empty session, too: one byte is not worth telling apart.
        return 0 if reached == 1 != hoped else reached

    def _is_there(self) -> bool:
        build = lambda o: endpoints.blob(o, self._repository.path, self._digest, method="HEAD")  # noqa: E731 - one line
        try:
            with self._client.send(self._repository, build, "pull", "push") as response:
                return response.status == 200
        except TransportError:
            return False

    def _is_lost(self, error: Error) -> bool:
        """Whether *error* is about the session rather than the blob: an offset that was a lie shows only at the end."""
        if not isinstance(error, RegistryError):
            return False
        return any(said.startswith(_LOST) for said in error.diagnostics) or (self._resumed and error.status in (400, 416))

    def _closed(self, response: Response) -> bool:
        if response.status == 404:
            return False
        self._expect(response, 201, 204)
        return True

    @property
    def _here(self) -> Url:
        if self._session is None:
            raise AssertionError("a session is open while something is sent")
        return self._session

    def _ask(self, request: Request) -> Response:
        return self._client.send_to(self._repository, request, "pull", "push")

    def _location(self, response: Response) -> Url:
        location = response.headers.get("location")
        if not location and self._session:
            return self._session
        try:
            if location:
                return response.url.join(location)
        except TransportError as error:
            raise RegistryError(
                f"{self._repository}: the registry's Location of an upload is no URL: {error}", hint="the registry is misconfigured"
            ) from error
        raise RegistryError(
            f"{self._repository}: the registry opened an upload and did not say where (no Location)",
            hint="is this address a container registry that takes pushes?",
        )

    def _expect(self, response: Response, *statuses: int) -> None:
        self._client.expect(response, f"{self._repository}@{self._digest}", self._repository, *statuses)


def _passing(error: Error) -> bool:
    """Whether the same may well succeed a moment later."""
    return isinstance(error, TransportError) or getattr(error, "status", 0) in _BUSY
