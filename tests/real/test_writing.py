"""What we write, on registries that we did not write: blobs, manifests, tags, referrers, and all of it deleted again."""

from __future__ import annotations

import json
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from registryauth._origin import Url
from registryauth.client import Client, RepositoryClient
from registryauth.client.referrers import fallback_tag
from registryauth.content.manifest import OCI_MANIFEST
from registryauth.credentials import Basic, Pinned
from registryauth.digest import Digest
from registryauth.errors import DigestMismatch, Error, NotFound, RegistryError, Unsupported
from registryauth.reference import Repository

from .servers import Server
from .servers import docker_registry as start
from .user import User

pytestmark = pytest.mark.real

CONTENT = os.urandom(3_000_000)
DIGEST = Digest.of(CONTENT)
_DELETES = {"storage": {"inmemory": {}, "delete": {"enabled": True}}}


@pytest.fixture
def deleting_registry(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Debian's, plain http, no login, deletes allowed."""
    with start(program("docker-registry"), tmp_path_factory.mktemp("registry"), _DELETES) as server:
        yield server


DEBIAN = ["docker_registry", "htpasswd_registry", "token_registry"]
DELETING = ["deleting_registry", "distribution_v3", "htpasswd_distribution_v3", "token_distribution_v3"]


@pytest.fixture(params=[*DEBIAN, *DELETING])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the registries."""
    found: Server = request.getfixturevalue(request.param)
    return found


@contextmanager
def client_of(server: Server) -> Iterator[Client]:
    realms = (Url.parse(server.realm or server.token_server.realm).origin,) if server.token_server else ()
    held = (Pinned(Basic(server.username, server.password), "store:1", realms),) if server.username else ()
    ca_files = {"*": str(server.ca_file)} if server.ca_file else {}
    with Client(lambda _: held, ca_files=ca_files, environ={}) as client:
        yield client


@pytest.fixture
def repository(server: Server) -> Iterator[RepositoryClient]:
    with client_of(server) as client:
        yield client.repository(f"{server.host}/team/model")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "blob").write_bytes(CONTENT)
    return tmp_path / "blob"


def image(repository: RepositoryClient, layer: bytes = b"a layer", **more: object) -> bytes:
    """The manifest of an image whose blobs are there."""
    config, one = repository.push(b'{"architecture":"amd64","os":"linux"}'), repository.push(layer)
    kinds = ((config, "application/vnd.oci.image.config.v1+json"), (one, "application/vnd.oci.image.layer.v1.tar"))
    described = [{"mediaType": kind, "digest": str(d.digest), "size": d.size} for d, kind in kinds]
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": described[0], "layers": described[1:], **more}
    return json.dumps(manifest, indent=3).encode()


def refused(work: Callable[[], object]) -> Error | None:
    """The error that *work* ends with, None if it does not."""
    try:
        work()
    except Error as error:
        return error
    return None


def test_a_blob_goes_there_and_back(server: Server, repository: RepositoryClient, file: Path, tmp_path: Path) -> None:
    assert repository.upload(file) == DIGEST
    assert repository.has(DIGEST)
    assert repository.download(DIGEST, tmp_path / "back") == len(CONTENT)
    assert (tmp_path / "back").read_bytes() == CONTENT
    before = len(server.requests)
    repository.upload(file)
    assert [line.partition(" ")[0] for line in server.requests[before:]] in (["HEAD"], [])


def test_an_empty_blob(repository: RepositoryClient, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert repository.has(repository.upload(tmp_path / "empty"))


def test_a_wrong_digest_is_refused(repository: RepositoryClient, file: Path) -> None:
    with pytest.raises(RegistryError, match="DIGEST_INVALID"):
        repository.upload(file, Digest.of(b"something else"))
    assert not repository.has(Digest.of(b"something else"))


def test_a_blob_by_sha512_is_there_by_that_or_refused(repository: RepositoryClient, file: Path) -> None:
    digest = Digest.of(CONTENT, "sha512")
    refusal = refused(lambda: repository.upload(file, digest))
    assert refusal.status == 400 if isinstance(refusal, RegistryError) else repository.has(digest) or repository.has(DIGEST)


def test_chunks_are_taken(repository: RepositoryClient, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from registryauth.client.uploads import Upload, slice_of

    monkeypatch.setattr("registryauth.client.uploads.CHUNK", 700_000)
    upload = Upload(repository.client, repository.repository, DIGEST, len(CONTENT), lambda start, end: slice_of(str(file), start, end))
    upload._whole = False
    assert upload.send()
    repository.download(DIGEST, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == CONTENT


def test_a_mount_sends_nothing(server: Server, repository: RepositoryClient, file: Path) -> None:
    repository.upload(file)
    other = repository.client.repository(f"{server.host}/team/other")
    other.upload(file, mount_from=repository.repository)
    assert other.has(DIGEST)
    assert not any(line.startswith(("PUT", "PATCH")) and "/team/other/" in line for line in server.requests)


def test_what_cannot_be_mounted_is_sent(server: Server, repository: RepositoryClient, file: Path) -> None:
    repository.upload(file, mount_from=Repository.parse(f"{server.host}/team/never"))
    assert repository.has(DIGEST)


def test_a_cancelled_session_is_gone(repository: RepositoryClient) -> None:
    from registryauth.client.uploads import Upload, slice_of

    upload = Upload(repository.client, repository.repository, DIGEST, 1, lambda start, end: slice_of("", start, end))
    upload._start()
    session = upload._here
    upload.cancel()
    upload._session = session
    assert upload._held() is None


def test_a_manifest_goes_there_and_back_to_the_byte(repository: RepositoryClient) -> None:
    raw = image(repository)
    put = repository.put_manifest(raw, tag="v1")
    assert repository.manifest("v1").raw == raw == repository.manifest(put.digest).raw
    assert repository.head("v1") == put
    assert list(repository.tags()) == ["v1"]


def test_a_manifest_whose_blobs_are_missing_is_refused(repository: RepositoryClient) -> None:
    raw = image(repository).replace(str(Digest.of(b"a layer")).encode(), str(Digest.of(b"missing")).encode())
    with pytest.raises(RegistryError, match="BLOB_UNKNOWN"):
        repository.put_manifest(raw, tag="v1")


def test_a_manifest_by_sha512_is_there_by_that_or_an_error_that_says_so(repository: RepositoryClient) -> None:
    raw = image(repository)
    digest = Digest.of(raw, "sha512")
    refusal = refused(lambda: repository.put_manifest(raw, tag=str(digest)))
    if isinstance(refusal, DigestMismatch):
        assert f"keeps it as {Digest.of(raw)} alone" in str(refusal)
        assert repository.manifest(Digest.of(raw)).raw == raw
    elif isinstance(refusal, RegistryError):
        assert refusal.status == 400
    else:
        assert repository.manifest(digest).raw == raw


def test_tags_come_in_pages(server: Server, repository: RepositoryClient) -> None:
    raw = image(repository)
    for number in range(7):
        repository.put_manifest(raw, tag=f"v{number}")
    assert list(repository.tags(n=2)) == [f"v{number}" for number in range(7)] == list(repository.tags())
    assert [line for line in server.requests if "tags/list" in line] != []


def test_the_repositories_are_listed(server: Server, repository: RepositoryClient) -> None:
    for name in ("a", "b", "c"):
        one = repository.client.repository(f"{server.host}/team/{name}")
        one.put_manifest(image(one), tag="v1")
    assert list(repository.client.repositories(server.host, n=2)) == ["team/a", "team/b", "team/c"]
    assert list(repository.client.repositories(server.host, last="team/a")) == ["team/b", "team/c"]


def test_what_refers_to_an_image_is_listed_by_whichever_way_there_is(repository: RepositoryClient) -> None:
    subject = repository.put_manifest(image(repository), tag="v1")
    described = {"mediaType": subject.media_type, "digest": str(subject.digest), "size": subject.size}
    assert list(repository.referrers(subject.digest)) == []
    kinds = ["application/x.sbom", "application/x.signature"]
    put = {}
    for kind in kinds:
        for _ in range(2):
            put[kind] = repository.put_manifest(image(repository, artifactType=kind, subject=described, annotations={"k": kind})).digest
    assert {found.artifact_type: found.digest for found in repository.referrers(subject.digest)} == put
    assert [found.digest for found in repository.referrers(subject.digest, artifact_type=kinds[0])] == [put[kinds[0]]]
    # distribution has no referrers API, v3 neither.
    assert len(json.loads(repository.manifest(fallback_tag(subject.digest)).raw)["manifests"]) == 2


@pytest.mark.parametrize("server", DELETING, indirect=True)
def test_what_is_deleted_is_gone(server: Server, repository: RepositoryClient, file: Path) -> None:
    subject = repository.put_manifest(image(repository), tag="v1")
    described = {"mediaType": subject.media_type, "digest": str(subject.digest), "size": subject.size}
    artifact = repository.put_manifest(image(repository, artifactType="a/b", subject=described))
    repository.delete_manifest(artifact.digest)
    assert list(repository.referrers(subject.digest)) == []
    repository.delete_manifest(subject.digest)
    with pytest.raises(NotFound):
        repository.manifest(subject.digest)
    with pytest.raises(NotFound):
        repository.delete_manifest(subject.digest)
    repository.upload(file)
    repository.delete_blob(DIGEST)
    assert not repository.has(DIGEST)
    with pytest.raises(NotFound):
        repository.delete_blob(DIGEST)


@pytest.mark.parametrize("server", DELETING, indirect=True)
def test_a_tag_is_deleted_or_the_registry_says_that_it_cannot(repository: RepositoryClient) -> None:
    put = repository.put_manifest(image(repository), tag="v1")
    # distribution before v3 deletes by digest alone.
    if refusal := refused(lambda: repository.delete_manifest("v1")):
        assert isinstance(refusal, RegistryError)
        assert refusal.status in (400, 405)
    else:
        with pytest.raises(NotFound):
            repository.manifest("v1")
    assert repository.manifest(put.digest).digest == put.digest


@pytest.mark.parametrize("server", DEBIAN, indirect=True)
def test_without_leave_nothing_is_deleted(repository: RepositoryClient) -> None:
    put = repository.put_manifest(image(repository), tag="v1")
    with pytest.raises(Unsupported):
        repository.delete_manifest(put.digest)
    with pytest.raises(Unsupported):
        repository.delete_blob(Digest.of(b"a layer"))
    assert repository.manifest("v1").digest == put.digest


# A registry with the referrers API, that takes a blob with the POST.


@pytest.mark.parametrize("server", ["go_containerregistry"], indirect=True)
class TestGoContainerregistry:
    @staticmethod
    def logged(server: Server) -> list[str]:
        return [found[1] for found in re.finditer(r"(?m)^\S+ \S+ ((?:HEAD|GET|POST|PUT|PATCH) \S+)", server.log.read_text())]

    def test_a_blob_goes_there_and_back(self, repository: RepositoryClient, file: Path, tmp_path: Path) -> None:
        assert repository.upload(file) == DIGEST
        assert repository.download(DIGEST, tmp_path / "back") == len(CONTENT)
        assert (tmp_path / "back").read_bytes() == CONTENT

    def test_a_small_blob_is_one_head_and_one_post(self, server: Server, repository: RepositoryClient) -> None:
        one, other = repository.push(b"a small blob"), repository.push(b"another")
        asked = [line.replace("/v2/team/model/blobs/", "") for line in self.logged(server)]
        assert asked == [line for blob in (one, other) for line in (f"HEAD {blob.digest}", f"POST uploads/?digest={blob.digest}")]
        assert repository.has(one.digest)

    def test_a_wrong_digest_is_refused(self, repository: RepositoryClient) -> None:
        with pytest.raises(RegistryError, match="400"):
            repository.push(b"a small blob", Digest.of(b"something else"))
        assert not repository.has(Digest.of(b"something else"))

    def test_what_refers_to_an_image_is_listed_by_the_api(self, server: Server, repository: RepositoryClient) -> None:
        subject = repository.put_manifest(image(repository), tag="v1")
        described = {"mediaType": subject.media_type, "digest": str(subject.digest), "size": subject.size}
        assert list(repository.referrers(subject.digest)) == []
        put = repository.put_manifest(image(repository, artifactType="application/x.sbom", subject=described))
        # It does not answer with OCI-Subject, so the fallback is kept, too, and then not looked at.
        before = len(self.logged(server))
        assert [found.digest for found in repository.referrers(subject.digest)] == [put.digest]
        assert self.logged(server)[before:] == [f"GET /v2/team/model/referrers/{subject.digest}"]


# A registry that filters what refers to an image, and counts its pages.


@pytest.mark.parametrize("server", ["cue_registry"], indirect=True)
class TestCue:
    @pytest.mark.parametrize("size", [100, len(CONTENT)])
    def test_a_blob_goes_there_and_back(self, repository: RepositoryClient, tmp_path: Path, size: int) -> None:
        (tmp_path / "blob").write_bytes(CONTENT[:size])
        digest = repository.upload(tmp_path / "blob")
        assert repository.download(digest, tmp_path / "back") == size
        assert (tmp_path / "back").read_bytes() == CONTENT[:size]

    def test_a_wrong_digest_is_refused(self, repository: RepositoryClient, file: Path) -> None:
        # Its error has all of the blob in it, escaped: several times what is read of an error.
        with pytest.raises(RegistryError, match="400") as refusal:
            repository.upload(file, Digest.of(b"something else"))
        assert len(str(refusal.value)) < 1000

    def test_what_refers_to_an_image_is_listed_by_its_kind(self, repository: RepositoryClient) -> None:
        subject = repository.put_manifest(image(repository), tag="v1")
        described = {"mediaType": subject.media_type, "digest": str(subject.digest), "size": subject.size}
        kinds = ("application/x.sbom", "application/x.signature")
        sbom, signature = (repository.put_manifest(image(repository, artifactType=kind, subject=described)) for kind in kinds)
        assert {found.digest for found in repository.referrers(subject.digest)} == {sbom.digest, signature.digest}
        assert [found.digest for found in repository.referrers(subject.digest, artifact_type=kinds[0])] == [sbom.digest]

    def test_tags_and_repositories_come_page_by_page(self, server: Server, repository: RepositoryClient) -> None:
        content = image(repository)
        wanted = [f"v{number}" for number in range(5)]
        for tag in wanted:
            repository.put_manifest(content, tag=tag)
        assert list(repository.tags(n=2)) == wanted
        assert list(repository.client.repositories(server.host, n=1)) == ["team/model"]

    def test_a_manifest_and_a_blob_are_deleted(self, repository: RepositoryClient) -> None:
        put = repository.put_manifest(image(repository), tag="v1")
        repository.delete_manifest(put.digest)
        with pytest.raises(NotFound):
            repository.manifest(put.digest)
        repository.delete_blob(Digest.of(b"a layer"))
        assert not repository.has(Digest.of(b"a layer"))


# A connection that breaks.


class Cutter:
    """A way to a registry, that is cut once *after* so many bytes came to a PUT."""

    def __init__(self, host: str, after: int) -> None:
        self._target = host.partition(":")[0], int(host.partition(":")[2])
        self._after = after
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            self._open += [near, far]
            for source, sink, counts in ((near, far, True), (far, near, False)):
                self._threads.append(threading.Thread(target=self._carry, args=(source, sink, counts), daemon=True))
                self._threads[-1].start()

    def _carry(self, source: socket.socket, sink: socket.socket, counts: bool) -> None:
        passed: int | None = None
        with suppress(OSError):
            while data := source.recv(65536):
                if counts and not self.cuts:
                    passed = 0 if passed is None and data.startswith(b"PUT ") else passed
                    if passed is not None and (passed := passed + len(data)) > self._after:
                        self.cuts += 1
                        break
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads[:1]:
            thread.join(5)
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for one in self._open:
            one.close()


@pytest.mark.parametrize("name", ["docker_registry", "distribution_v3"])
@pytest.mark.parametrize("after", [10, 1_000_000, 2_999_000])
def test_an_upload_whose_connection_breaks_is_whole_in_the_end(
    request: pytest.FixtureRequest, name: str, file: Path, tmp_path: Path, after: int
) -> None:
    server: Server = request.getfixturevalue(name)
    cutter = Cutter(server.host, after)
    try:
        with Client(environ={}) as client:
            repository = client.repository(f"{cutter.host}/team/model")
            repository.upload(file)
            assert cutter.cuts == 1
            repository.download(DIGEST, tmp_path / "back")
    finally:
        cutter.close()
    assert (tmp_path / "back").read_bytes() == CONTENT
    # distribution before v3 gives up a session that holds more than its Location says; then all of it is sent again.
    resumed = any(line.startswith("PATCH") for line in server.requests)
    assert resumed == (name == "distribution_v3" and after > 100_000)


# The commands.


@pytest.mark.parametrize("server", [*DEBIAN, "token_distribution_v3"], indirect=True)
def test_the_commands_on_the_road(server: Server, user: User, file: Path, tmp_path: Path) -> None:
    authority = ["--ca-file", str(server.ca_file)] if server.ca_file else []
    if server.username:
        server.realm = server.realm or (server.token_server.realm if server.token_server else "")
        user.login(server)
    with client_of(server) as client:
        raw = image(client.repository(f"{server.host}/team/model"))
    (tmp_path / "m").write_bytes(raw)
    name = f"{server.host}/team/model"
    assert user.registryauth("blob", "put", name, file, *authority).stdout == f"{DIGEST}\n"
    user.registryauth("blob", "head", f"{name}@{DIGEST}", *authority)
    digest = user.registryauth("manifest", "put", f"{name}:v1", tmp_path / "m", *authority).stdout.strip()
    assert user.raw("manifest", "get", f"{name}:v1", *authority) == raw
    assert user.registryauth("digest", f"{name}:v1", *authority).stdout.strip() == digest
    assert json.loads(user.registryauth("tag", "list", name, "-o", "json", *authority).stdout)["tags"] == ["v1"]
    assert json.loads(user.registryauth("repository", "list", server.host, "-o", "json", *authority).stdout)["repositories"] == [
        "team/model"
    ]
    assert json.loads(user.registryauth("referrers", f"{name}:v1", "-o", "json", *authority).stdout)["referrers"] == []
    deleted = user.registryauth("manifest", "delete", f"{name}@{digest}", *authority, check=False)
    there = user.registryauth("manifest", "head", f"{name}@{digest}", *authority, check=False)
    assert (deleted.returncode, there.returncode) == ((0, 3) if "does not offer" not in deleted.stderr else (1, 0))
