"""The last links: the manifest, the first byte of a layer wherever it lies, and whether the image runs on the platform."""

from __future__ import annotations

from registryauth._http import MAX_ERROR_BODY, Response
from registryauth._json import load_json
from registryauth._origin import may_visit
from registryauth._redact import printable
from registryauth.auth.exchange import read_refusal
from registryauth.azure.acr_errors import Refusal, meaning
from registryauth.client import endpoints
from registryauth.content.descriptor import Descriptor, Platform
from registryauth.content.manifest import Index, Manifest, select
from registryauth.diagnosis.asking import refused
from registryauth.diagnosis.reaching import elsewhere
from registryauth.diagnosis.step import Look, broken, failed, fine, odd
from registryauth.diagnosis.walk import Walk
from registryauth.errors import (
    ContentError,
    Denied,
    DigestMismatch,
    Error,
    NotFound,
    RegistryError,
    SizeMismatch,
    TokenRefused,
    TransportError,
    Unauthorized,
)

_REDIRECTS = (301, 302, 303, 307, 308)
#: Hops to where a layer lies; storage services need one or two.
_MAX_HOPS = 5
#: A configuration has a few KiB; this bounds what is read to learn a platform.
_MAX_CONFIG = 1024 * 1024


def manifest(walk: Walk) -> Look:
    """HEAD of the manifest, which counts as a pull nowhere; where that is refused GET, whose answer has the registry's own words."""
    repository = walk.asking.repository(walk.repository)
    try:
        found = repository.head(walk.named.target)
    except RegistryError as error:
        if error.status < 400 or error.status == 429:
            return failed(error)
        return _in_its_words(walk, error)
    except TokenRefused as error:
        return refused(walk, error)
    facts = {"digest": str(found.digest), "media_type": found.media_type, "size": found.size}
    return fine(f"{found.digest}, {found.size} bytes, {printable(found.media_type, 100)}", facts)


def _in_its_words(walk: Walk, head: RegistryError) -> Look:
    try:
        walk.asking.repository(walk.repository).manifest(walk.named.target)
    except (TokenRefused, Unauthorized, Denied) as error:
        return refused(walk, error)
    except NotFound as error:
        look = failed(error)
        return look.replace(hint=f"'registryauth tag list {walk.repository}' shows what is there; {look.hint}")
    except Error as error:
        return failed(error)
    hint = "something in between does not let HEAD through: docker and containerd ask with HEAD first"
    return odd(f"GET is answered, HEAD is not ({head.status})", hint, {"head_status": head.status})


def layer(walk: Walk) -> Look:
    """The verified manifest, and the first byte of its first layer, fetched from wherever the registry keeps it."""
    repository = walk.asking.repository(walk.repository)
    found = repository.manifest(walk.named.target)
    image = found if isinstance(found, Manifest) else _one_of(walk, found)
    learnt: dict[str, object] = {"manifest": found, "image": image}
    if image is None:
        return fine("the index names no image, so there is nothing to fetch").replace(learnt=learnt)
    blob = next((each for each in image.layers if each.size), image.config)
    if not blob.size:
        return fine("the image has no content").replace(learnt=learnt)
    look = _fetched(walk, blob)
    return look.replace(learnt=learnt) if look.outcome == "ok" else look


def _one_of(walk: Walk, index: Index) -> Manifest | None:
    """The image for the platform that was asked for; any, where there is none for it: the last step speaks of that."""
    try:
        chosen = select(index, walk.platform) if walk.platform else None
    except NotFound:
        chosen = None
    chosen = chosen or next((entry for entry in index.manifests if entry.platform and entry.platform.os != "unknown"), None)
    chosen = chosen or next(iter(index.manifests), None)
    if chosen is None:
        return None
    inner = walk.asking.repository(walk.repository).manifest(chosen)
    return inner if isinstance(inner, Manifest) else None


def _fetched(walk: Walk, blob: Descriptor) -> Look:
    """One byte of *blob*, each host on the way named; none but the registry is told who asks."""
    client, hosts = walk.asking, list[str]()
    request = endpoints.blob(client.origin(walk.registry), walk.repository.path, blob.digest).with_header("range", "bytes=0-0")
    home = request.url.origin
    for _ in range(_MAX_HOPS + 1):
        try:
            answer = client.send_to(walk.repository, request, "pull")
        except TransportError as error:
            return failed(error).replace(facts={"hosts": hosts}) if not hosts else _astray(hosts, error.message)
        with answer:
            if answer.status not in _REDIRECTS:
                return _read(walk, answer, blob, hosts)
            location = answer.headers.get("location")
        if not location:
            return broken(f"{answer.url.origin} redirects to nowhere", "the registry is misconfigured")
        request = request.replace(url=answer.url.join(location))
        may_visit(home, request.url, insecure=walk.tools.is_insecure(walk.registry))
        if request.url.origin != home:
            hosts.append(request.url.origin.netloc)
            reached = elsewhere(walk, request.url.origin, "the content")
            if reached.outcome != "ok":
                return reached.replace(facts={**reached.facts, "hosts": hosts})
    return broken(f"{home} redirects in circles", "the registry is misconfigured", {"hosts": hosts})


def _read(walk: Walk, answer: Response, blob: Descriptor, hosts: list[str]) -> Look:
    if answer.status not in (200, 206):
        if hosts:
            return _refused_there(walk, answer, hosts)
        try:
            walk.asking.expect(answer, str(blob.digest), walk.repository, 200, 206)
        except (TokenRefused, Unauthorized, Denied) as error:
            return refused(walk, error)
    if next(iter(answer.chunks(1)), None) is None:
        return broken(f"{answer.url.origin} sends nothing of {blob.digest}", "the registry's storage is damaged", {"hosts": hosts})
    where = f"{' and '.join(hosts)}, which was sent no credential" if hosts else "the registry itself"
    return fine(f"the first byte of {blob.size} came from {where}", {"hosts": hosts, "blob": str(blob.digest), "size": blob.size})


def _refused_there(walk: Walk, answer: Response, hosts: list[str]) -> Look:
    """What the storage behind the registry answered, and what that means at Azure's."""
    look = _astray(hosts, f"{hosts[-1]} refuses the content ({answer.status})")
    try:
        words = read_refusal(answer.read(MAX_ERROR_BODY))
    except (SizeMismatch, TransportError):
        words = ""
    found = meaning(Refusal(walk.registry, answer.status, words)) if walk.is_acr else None
    return look.replace(detail=f"{look.detail}; {found.said}", hint=found.hint) if found else look


def _astray(hosts: list[str], what: str) -> Look:
    hint = f"the content lies at {hosts[-1]}: a firewall or proxy that lets the registry through must let that host through, too"
    return broken(what, hint, {"hosts": hosts})


def platform(walk: Walk) -> Look:
    """Whether there is an image for the platform that was asked for; without one, which there are."""
    there = _platforms(walk)
    facts = {"wanted": str(walk.platform) if walk.platform else None, "there": [printable(str(each)) for each in there]}
    listed = ", ".join(sorted(dict.fromkeys(printable(str(each)) for each in there))) or "none that says what it runs on"
    if walk.platform is None:
        return fine(f"it has {listed}", facts)
    wanted = walk.platform
    if any(each.rank(wanted) is not None for each in there):
        return fine(f"it has {wanted}", facts)
    return broken(f"it has nothing for {wanted}", f"it has {listed}: build it for {wanted}, or run it elsewhere", facts)


def _platforms(walk: Walk) -> list[Platform]:
    if isinstance(walk.manifest, Index):
        return [entry.platform for entry in walk.manifest.manifests if entry.platform and entry.platform.os != "unknown"]
    if walk.image is None or walk.image.config.size > _MAX_CONFIG:
        return []
    config = walk.image.config
    with walk.asking.repository(walk.repository).open(config) as answer:
        raw = answer.read(_MAX_CONFIG)
    if not config.digest.matches(raw):
        raise DigestMismatch(
            f"{walk.repository}: the configuration is not {config.digest}", hint="the registry or a proxy before it is damaged"
        )
    said = load_json(raw, "the image's configuration", _MAX_CONFIG, error=ContentError)
    if not isinstance(said, dict):
        return []
    fields = [said.get(name, "") for name in ("os", "architecture", "variant")]
    return [Platform(*fields)] if all(isinstance(field, str) for field in fields) and fields[0] else []
