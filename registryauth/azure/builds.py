"""Image builds of one registry: the context up, the run scheduled, looked at, canceled.

Sources: azure-rest-api-specs, containerregistry tasks 2019-04-01 (RegistriesGetBuildSourceUploadUrl.json, RegistriesScheduleRun.json,
RunsGet.json, RunsGetLogSasUrl.json, RunsCancel.json); Microsoft Learn "Put Blob". A signed URL is a secret: it is in no error.
"""

from __future__ import annotations

import re
import time

from registryauth._http.messages import MAX_ERROR_BODY, Request
from registryauth._http.retrying import MAX_PAUSE, retry_after
from registryauth._origin import Url, may_visit
from registryauth._redact import printable
from registryauth._value import Value
from registryauth.azure.build_request import STABLE
from registryauth.errors import AzureError, ConfigurationError, SizeMismatch, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from registryauth._http.messages import Response, Transport
    from registryauth._json import Node
    from registryauth.azure.build_context import Context
    from registryauth.azure.build_request import BuildRequest
    from registryauth.azure.container_registries import ContainerRegistry
    from registryauth.azure.rest import Rest

#: What a run's status can be at its end.
SUCCEEDED = "Succeeded"
FINAL = (SUCCEEDED, "Failed", "Canceled", "Error", "Timeout")
#: Sends of one context.
ATTEMPTS = 4
_BUSY = (429, 500, 502, 503, 504)
#: Seconds before the second look at a run, and between two looks at most.
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 15.0
#: Seconds that a run may wait for an agent, beyond its own time, before nobody watches it any more.
PATIENCE = 3600.0
_TOO_SHORT = 3
#: Characters of a secret that show it where an error repeats them: it may quote it cut short, or escaped.
_TELLING = 6
#: Looks at a run that fail one after the other before it is given up: a build is worth a few minutes of disturbance.
MAX_TROUBLES = 8
_RUN_ID = r"[A-Za-z0-9]{1,40}"


class BuiltImage(Value):
    """An image that a run pushed."""

    registry: str
    repository: str
    tag: str
    digest: str


class Run(Value):
    """One run as the service tells of it; *started* and *finished* are RFC 3339 as they came, empty before.

    *error* is its own reason for a failure, cleaned for a terminal.
    """

    id: str
    status: str
    images: tuple[BuiltImage, ...] = ()
    error: str = ""
    created: str = ""
    started: str = ""
    finished: str = ""
    kind: str = ""
    platform: str = ""
    agent_pool: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it has come to an end."""
        return self.status in FINAL


class Builds:
    """The builds of *registry*, asked for through *rest*; contexts and logs go over *far*, without any token."""

    def __init__(
        self,
        rest: Rest,
        far: Transport,
        registry: ContainerRegistry,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.registry = registry
        self.far = far
        self.clock = clock
        self.sleep = sleep
        self._rest = rest

    def upload(self, context: Context) -> str:
        """Put *context* where a build finds it; what `BuildRequest.source` is to be.

        It is sent again, from its beginning, where the connection broke or storage was busy, and to another place where the link had
        ended. Raise `AzureError`, `TransportError`, `RealmRefused`, and `ContentError` if it changed meanwhile.
        """
        place, url = self._place()
        renewed = False
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            try:
                response = self.far.send(Request("PUT", url, (("x-ms-blob-type", "BlockBlob"),), upload=context.body()))
            except TransportError as error:
                if last or not error.transient:
                    raise
                self.sleep(2.0**attempt)
                continue
            with response:
                if response.status in (200, 201):
                    return place
                wished = retry_after(response.headers.get("retry-after"), self.clock())
                refused = storage_refusal(response, "the upload of the context", url)
            if response.status == 403 and not renewed and not last:
                renewed = True
                place, url = self._place()
            elif response.status not in _BUSY or last or (wished or 0) > MAX_PAUSE:
                raise refused
            else:
                self.sleep(2.0**attempt if wished is None else wished)
        raise AssertionError("the last attempt returns or raises")

    def schedule(self, request: BuildRequest) -> Run:
        """Ask for the build; raise `AzureError`, whose message repeats none of its secrets, and `TransportError`."""
        try:
            answer = self._call("POST", "scheduleRun", request.version, request.document())
        except AzureError as error:
            raise _explained(error, request, self.registry) from None
        except TransportError as error:
            hint = f"the build may have been scheduled all the same: registryauth azure acr run list --registry {self.registry.id.name}"
            raise TransportError(error.message, hint=hint, transient=error.transient) from error
        return _run(answer, request.secrets)

    def run(self, id_: str, secrets: tuple[str, ...] = ()) -> Run:
        """How the run *id_* stands; raise `AzureError`, with status 404 where there is none, and `TransportError`."""
        return _run(self._call("GET", f"runs/{_checked(id_)}"), secrets)

    def runs(self, most: int) -> Iterator[Run]:
        """The last runs of the registry, the latest first, *most* of them."""
        left = most
        for entry in self._rest.pages(f"{self.registry.id.path}/runs?$top={most}", STABLE):
            if not left:
                return
            left -= 1
            yield _run(entry)

    def cancel(self, id_: str) -> None:
        """Have the run *id_* end; one that is over stays as it is. Raise as `run` does."""
        self._call("POST", f"runs/{_checked(id_)}/cancel")

    def log_url(self, id_: str) -> Url:
        """Where the log of the run *id_* is, signed for an hour or so; raise as `run` does, with 404 where it is not there yet."""
        found = self._call("POST", f"runs/{_checked(id_)}/listLogSasUrl").field("logLink").text()
        if not found:
            raise AzureError("Azure gives no link to the log", status=404, hint="it may not have begun; try again in a moment")
        return self._storage(found)

    def wait(self, run: Run, timeout: float, secrets: tuple[str, ...] = ()) -> Run:
        """Look at *run* until it is over; raise `AzureError` if it is not *timeout* seconds and `PATIENCE` later, and as `run` does."""
        pause, until, troubles = _FIRST_PAUSE, self.clock() + timeout + PATIENCE, 0
        while not run.is_over:
            if self.clock() > until:
                raise AzureError(
                    f"the run {run.id} is {run.status} still",
                    hint=f"it goes on: registryauth azure acr run show {run.id} --registry {self.registry.id.name}",
                )
            self.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
            try:
                run, troubles = self.run(run.id, secrets), 0
            except (AzureError, TransportError) as error:
                troubles += 1
                if not passing(error) or troubles > MAX_TROUBLES:
                    raise
        return run

    def _call(self, method: str, what: str, version: str = STABLE, body: object = None) -> Node:
        return self._rest.call(method, f"{self.registry.id.path}/{what}", version, body).document

    def _place(self) -> tuple[str, Url]:
        try:
            found = self._call("POST", "listBuildSourceUploadUrl")
        except AzureError as error:
            raise _explained(error, None, self.registry) from error
        place, url = found.field("relativePath").text(), found.field("uploadUrl").text()
        if not place or not url:
            raise AzureError("Azure gives no place for the context", hint="try again later; if it stays, report it")
        return place, self._storage(url)

    def _storage(self, text: str) -> Url:
        url = Url.parse(text)
        may_visit(self._rest.origin, url)
        return url


def passing(error: AzureError | TransportError) -> bool:
    """Whether the same question may well be answered a moment later."""
    return error.transient if isinstance(error, TransportError) else error.status in _BUSY


def _checked(id_: str) -> str:
    if not re.fullmatch(_RUN_ID, id_):
        hint = "letters and digits, such as cda: registryauth azure acr run list shows them"
        raise ConfigurationError(f"{printable(id_, 60)!a} is no id of a run", hint=hint)
    return id_


def _run(document: Node, secrets: tuple[str, ...] = ()) -> Run:
    properties = document.field("properties")
    platform = properties.field("platform")
    parts = (platform.field(key).text() for key in ("os", "architecture", "variant"))

    def moment(key: str) -> str:
        return printable(properties.field(key).text(), 40)

    id_ = properties.field("runId").text() or document.field("name").text()
    if not re.fullmatch(_RUN_ID, id_):
        raise AzureError("Azure tells of a run without an id", hint="report it")
    return Run(
        id_,
        # Whatever case it comes in: the final ones are compared.
        printable(properties.field("status").text(), 40).capitalize(),
        tuple(_image(each) for each in properties.field("outputImages").items()),
        printable(without(properties.field("runErrorMessage").text(), secrets), 1000),
        moment("createTime"),
        moment("startTime"),
        moment("finishTime"),
        moment("runType"),
        "/".join(printable(part, 40).lower() for part in parts if part),
        printable(properties.field("agentPoolName").text(), 80),
    )


def _image(node: Node) -> BuiltImage:
    return BuiltImage(*(printable(node.field(key).text(), 300) for key in ("registry", "repository", "tag", "digest")))


def without(text: str, secrets: tuple[str, ...]) -> str:
    """*text* without *secrets*, without the signatures of links to storage, and without who signs in to a URL."""
    for one in secrets:
        # One of three characters is in every line, and no secret.
        if len(one) > _TOO_SHORT:
            text = text.replace(one, "[secret]")
    text = re.sub(r"(?<=://)[^/?#\s]{1,2000}@", "[secret]@", text)
    return re.sub(r"(?i)([?&](?:sig|se|skoid|sktid|code|token)=)[^&\s\"'<>]+", r"\1[secret]", text)


def storage_refusal(response: Response, what: str, url: Url) -> AzureError:
    """What storage means by *response* (Microsoft Learn "Status and error codes"): its code is in a header, its words are XML."""
    code = printable(response.headers.get("x-ms-error-code"), 60)
    try:
        response.read(MAX_ERROR_BODY)
    except (SizeMismatch, TransportError):
        response.close()
    hints = {
        403: "the signed link was refused: is this machine's clock right, and does a proxy or firewall change requests?",
        413: "name in .dockerignore what the build does not need",
    }
    return AzureError(
        f"{what} was refused by {url.origin.host} ({response.status}{f', {code}' if code else ''})",
        status=response.status,
        code=code,
        correlation_id=printable(response.headers.get("x-ms-request-id"), 60),
        hint=hints.get(response.status, "try again later; https://status.azure.com tells of disturbances"),
    )


def _repeats(message: str, secrets: tuple[str, ...]) -> bool:
    """Whether *message* holds a piece of one of *secrets*."""
    pieces = (one[at : at + _TELLING] for one in secrets for at in range(max(1, len(one) - _TELLING + 1)))
    return any(piece in message for piece in pieces if len(piece) > _TOO_SHORT)


def _explained(error: AzureError, request: BuildRequest | None, registry: ContainerRegistry) -> AzureError:
    """*error* with what it means for a build, and without what the request held."""
    message = without(error.message, ())
    if request and _repeats(message, request.secrets):
        message = f"Azure did not take the build ({error.status}{f', {error.code}' if error.code else ''}); its words repeat a secret"
    hint, name = error.hint, registry.id.name
    if error.code == "TasksOperationsNotAllowed":
        hint = "subscriptions on a free trial or on credits may not build; a support request at https://aka.ms/azuresupport may open it"
    elif error.status == 403:
        hint = f"Container Registry Tasks Contributor, or Contributor, on {name} lets you build; its owner gives it"
    elif error.status == 404 and request and request.agent_pool:
        hint = f"is {printable(request.agent_pool, 60)} an agent pool of {name}? az acr agentpool list --registry {name}"
    elif error.status == 400:
        hint = "Azure did not take the request: check image names, --platform, --agent-pool and the source"
    found = AzureError(message, status=error.status, code=error.code, correlation_id=error.correlation_id, hint=hint)
    found.exit_code = error.exit_code
    return found
