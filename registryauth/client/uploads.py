"""Blobs on their way up: mounted, sent whole, in pieces, or on from where a broken connection left off."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

from registryauth._http import Request, Response
from registryauth._http.messages import Body
from registryauth._origin import Url
from registryauth.client import endpoints
from registryauth.client.client import Client
from registryauth.digest import Digest
from registryauth.errors import ContentError, RegistryError, TransportError
from registryauth.reference import Repository

#: Bytes handed to the socket at a time.
PIECE = 256 * 1024
#: Bytes of a chunk where a registry takes no blob whole.
CHUNK = 16 * 1024 * 1024
#: Bytes that a registry may make us send in one chunk (its OCI-Chunk-Min-Length); more is no minimum but a refusal.
_MAX_CHUNK = 1024**3
#: Sessions tried for one blob. A registry that loses a session, or a connection, loses it rarely twice.
_MAX_SESSIONS = 3

Progress = Callable[[int], None]


def file_body(path: str, progress: Progress = lambda _: None) -> Body:
    """The content of the file *path*, read while it is sent; raise `ContentError` if it cannot be read."""
    try:
        return slice_of(path, 0, os.stat(path).st_size, progress)
    except OSError as error:
        raise ContentError(f"cannot read {path}: {error.strerror}") from error


def slice_of(path: str, start: int, end: int, progress: Progress = lambda _: None) -> Body:
    """The bytes of the file *path* from *start* up to *end*; *progress* is told how far into the file we are."""

    def pieces() -> Iterator[memoryview]:
        buffer = memoryview(bytearray(min(PIECE, max(1, end - start))))
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

    return Body(end - start, pieces)


class Upload:
    """One blob for one repository: *part* gives the bytes of it from one offset up to another."""

    def __init__(self, client: Client, repository: Repository, digest: Digest, size: int, part: Callable[[int, int], Body]) -> None:
        self._client = client
        self._repository = repository
        self._digest = digest
        self._size = size
        self._part = part
        self._chunk = 0

    def send(self, mount_from: Repository | None = None) -> bool:
        """Put the blob there; False if it was mounted from *mount_from* and nothing was sent.

        Raise `RegistryError` if the registry refuses it, `TransportError` if the connection broke in every session.
        """
        session = self._mount(mount_from) if mount_from else self._start()
        if session is None:
            return False
        for left in reversed(range(_MAX_SESSIONS)):
            try:
                if self._fill(session):
                    return True
            except TransportError:
                if not left:
                    raise
            session = self._start()
        raise RegistryError(f"{self._repository}: the registry lost the upload of {self._digest} every time", hint="try again later")

    def _mount(self, source: Repository) -> Url | None:
        """None if the registry has it already; else the session of an ordinary upload. Whatever is wrong with mounting is no error."""
        if source.registry != self._repository.registry:
            return self._start()
        build = lambda o: endpoints.mount(o, self._repository.path, self._digest, source.path)  # noqa: E731 - one line
        with self._client.send(self._repository, build, "pull", "push") as response:
            if response.status == 201:
                return None
            return self._session(response) if response.status == 202 else self._start()

    def _start(self) -> Url:
        with self._client.send(self._repository, lambda o: endpoints.start_upload(o, self._repository.path), "pull", "push") as response:
            self._expect(response, 202)
            least = response.headers.get("oci-chunk-min-length")
            self._chunk = max(self._chunk, int(least)) if least.isascii() and least.isdecimal() and len(least) < 12 else self._chunk
            return self._session(response)

    def _fill(self, session: Url) -> bool:
        """Whether the session took the blob; False if the registry does not know it any more."""
        if self._chunk:
            return self._send_chunks(session, 0)
        try:
            with self._ask(endpoints.put_upload(session, self._digest, self._part(0, self._size))) as response:
                if response.status == 413 and not self._chunk:
                    self._chunk = CHUNK
                    return False
                return self._closed(response)
        except TransportError:
            reached = self._offset(session)
            if not reached:
                raise
            return self._send_chunks(session, reached)

    def _send_chunks(self, session: Url, offset: int) -> bool:
        size = min(max(self._chunk, CHUNK), _MAX_CHUNK)
        stuck = 0
        while offset < self._size:
            end = min(offset + size, self._size)
            with self._ask(endpoints.patch_upload(session, offset, self._part(offset, end))) as response:
                if response.status == 404:
                    return False
                # 416: the registry has another offset in mind, and says which.
                self._expect(response, 202, 416)
                reached = _reached(response)
                if reached is None or not 0 <= reached <= self._size or (response.status == 202 and reached != end):
                    return False
                stuck = stuck + 1 if response.status == 416 else 0
                if stuck > 2:
                    return False
                session, offset = self._session(response, session), reached
        with self._ask(endpoints.put_upload(session, self._digest)) as response:
            return self._closed(response)

    def _offset(self, session: Url) -> int:
        """How many bytes the session holds; 0 if that cannot be told, which costs a fresh start."""
        try:
            with self._ask(endpoints.ask_upload(session)) as response:
                reached = _reached(response) if response.status in (200, 204) else None
        except TransportError:
            return 0
        # distribution says 0-0 of an empty session, too: one byte is not worth telling apart.
        return reached if reached is not None and 1 < reached <= self._size else 0

    def cancel(self, session: Url) -> None:
        """Give *session* up, so that the registry need not keep it (end-14); whether it does is its business."""
        try:
            self._ask(endpoints.ask_upload(session, method="DELETE")).close()
        except TransportError:
            return

    def _closed(self, response: Response) -> bool:
        if response.status == 404:
            return False
        self._expect(response, 201, 204)
        return True

    def _ask(self, request: Request) -> Response:
        return self._client.send_to(self._repository, request, "pull", "push")

    def _session(self, response: Response, before: Url | None = None) -> Url:
        location = response.headers.get("location")
        if not location and before is None:
            raise RegistryError(f"{self._repository}: the registry opened an upload and did not say where (no Location)")
        return response.url.join(location) if location else before or response.url

    def _expect(self, response: Response, *statuses: int) -> None:
        self._client.expect(response, f"{self._repository}@{self._digest}", self._repository, *statuses)


def _reached(response: Response) -> int | None:
    """How many bytes the registry holds, by its ``Range: 0-N`` (N is the last one)."""
    match = re.fullmatch(r"(?:bytes=)?0-([0-9]{1,18})", response.headers.get("range"))
    return int(match[1]) + 1 if match else None
