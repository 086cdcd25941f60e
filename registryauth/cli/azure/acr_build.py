"""``registryauth azure acr build``."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from registryauth.azure.build_request import DEFAULT_TIMEOUT, MAX_TIMEOUT, MIN_TIMEOUT, SOURCE_AUTH
from registryauth.cli.app import single
from registryauth.cli.azure.registry_options import RegistryOption, Where
from registryauth.cli.groups import Group
from registryauth.cli.options import Misuse, Output, OutputOption

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.azure.build_context import Context
    from registryauth.azure.build_request import BuildRequest
    from registryauth.azure.builds import Builds, Run
    from registryauth.azure.container_registries import ContainerRegistry
    from registryauth.cli.azure.watching import Watch
    from registryauth.cli.session import Session


class What(Group):
    """What is to be built, and how."""

    images: Annotated[
        list[str] | None, typer.Option("--image", "-t", metavar="NAME:TAG", help="What the image is called; may be given several times.")
    ] = None
    file: Annotated[str, typer.Option("--file", "-f", metavar="FILE", help="The Dockerfile; CONTEXT/Dockerfile if it is not given.")] = ""
    build_args: Annotated[
        list[str] | None, typer.Option("--build-arg", metavar="NAME=VALUE", help="A build argument; NAME alone takes the variable's value.")
    ] = None
    masked_args: Annotated[
        list[str] | None,
        typer.Option("--secret-build-arg", metavar="NAME", help="One that is kept out of the log: the variable's value, or NAME=@FILE."),
    ] = None
    target: Annotated[str, typer.Option("--target", metavar="STAGE", help="The stage to build.")] = ""
    platform: Annotated[str, typer.Option("--platform", metavar="OS/ARCH", help="What to build for.")] = "linux/amd64"
    no_push: Annotated[bool, typer.Option("--no-push", help="Build, and keep nothing.")] = False
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Build every step anew.")] = False


class How(Group):
    """Where it runs, with whose rights, and what is shown of it."""

    timeout: Annotated[
        int, typer.Option("--timeout", metavar="SECONDS", min=MIN_TIMEOUT, max=MAX_TIMEOUT, help="How long it may take.")
    ] = DEFAULT_TIMEOUT
    agent_pool: Annotated[str, typer.Option("--agent-pool", metavar="NAME", help="Run it on this pool of the registry's.")] = ""
    with_credential: Annotated[
        list[str] | None,
        typer.Option("--with-credential", metavar="HOST", help="Give the build our credential for this registry, where its base image is."),
    ] = None
    source_auth: Annotated[
        str,
        typer.Option(
            "--source-auth",
            metavar="WHOSE",
            help="Whose rights it has in the registry itself: none, default or caller.",
            show_default=False,
        ),
    ] = ""
    no_logs: Annotated[bool, typer.Option("--no-logs", help="Show no log, only the end.")] = False
    no_wait: Annotated[bool, typer.Option("--no-wait", help="End as soon as the run is scheduled.")] = False


def build(
    registry: RegistryOption,
    context: Annotated[
        str, typer.Argument(metavar="CONTEXT", help="A directory, a .tar.gz, a URL of either or of git; - reads a Dockerfile.")
    ],
    what: What,
    how: How,
    where: Where,
    output: OutputOption = Output.TABLE,
) -> None:
    """Build an image in Azure and watch its log, without docker.

    What `az acr build` does, in the registry that the image is for.

    Exit status 1 where the build fails; 130 after Ctrl-C, which asks whether to cancel it; 141 where the reader of the log, such as
    head, goes away before it has ended.
    """
    from registryauth.azure.build_request import Platform
    from registryauth.cli.azure.build_arguments import arguments
    from registryauth.cli.azure.registry_options import builds_of
    from registryauth.cli.azure.watching import Watch, until_the_end
    from registryauth.cli.session import Session

    if how.source_auth and how.source_auth not in SOURCE_AUTH:
        raise Misuse(f"--source-auth is {', '.join(SOURCE_AUTH[:-1])} or {SOURCE_AUTH[-1]}")
    if not what.images and not what.no_push:
        raise Misuse("--image says what the image is to be called; --no-push builds one that is not kept")
    platform = Platform.parse(what.platform)
    session = Session(ca_file=where.ca_file)
    with until_the_end():
        source = _Source(context, what.file)
        given = arguments(what.build_args or (), what.masked_args or (), session.environ)
        with builds_of(session, registry, where) as builds:
            request = _request(session, builds, what, how).replace(platform=platform, arguments=given)
            request = _placed(builds, source, request)
            watch = Watch(builds, None if how.no_logs else sys.stdout if output is Output.TABLE else sys.stderr, how.timeout, request)
            run = watch.scheduled(request)
            if not how.no_wait:
                run = watch.follow(run)
    _tell(watch, run, builds.registry, request, how, output)


def _request(session: Session, builds: Builds, what: What, how: How) -> BuildRequest:
    """All that is known before the context is packed; what a person should know of it is said."""
    from registryauth.azure.build_request import BuildRequest, image_name
    from registryauth.cli.azure.build_logins import logins
    from registryauth.cli.console import say

    registry, source_auth = builds.registry, how.source_auth
    images = tuple(image_name(text, registry.login_server) for text in what.images or ())
    if registry.mode == "abac" and not source_auth:
        source_auth = "caller"
        say(f"note: {registry.id.name} grants rights by repository (ABAC), so the build gets yours there (--source-auth caller).")
    if not registry.network.startswith("open to every address") and not how.agent_pool:
        say(f"note: {registry.id.name} is {registry.network}; a build may be kept out, --agent-pool runs it inside.")
    return BuildRequest(
        "",
        "",
        images,
        logins=logins(session, how.with_credential or (), how.timeout),
        push=not what.no_push,
        no_cache=what.no_cache,
        target=what.target,
        timeout=how.timeout,
        agent_pool=how.agent_pool,
        source_auth=source_auth,
    )


class _Source:
    """What is built from: checked before anybody is asked for anything."""

    def __init__(self, context: str, file: str) -> None:
        from registryauth.azure.build_request import remote, shown_source

        self.context, self.file = context, file
        self.is_remote = context != "-" and not os.path.exists(context) and remote(context)
        if context == "-" and file:
            raise Misuse("CONTEXT - is the Dockerfile itself: leave out --file")
        if context != "-" and not self.is_remote and not os.path.exists(context):
            raise Misuse(f"there is no directory or archive {shown_source(context)!a}; a URL begins with https:// or git@")
        self.stdin = _stdin() if context == "-" else b""
        self.dockerfile = self._dockerfile() if os.path.isdir(context) else file or "Dockerfile"

    def _dockerfile(self) -> str:
        """The Dockerfile's path: from the current directory, as docker has it, else in the context."""
        from registryauth.cli.console import say

        inside = os.path.join(self.context, self.file or "Dockerfile")
        if self.file and os.path.exists(self.file):
            return self.file
        if not os.path.exists(inside):
            raise Misuse(f"there is no Dockerfile {self.file or inside!a}; --file names it, from the current directory")
        if self.file:
            say(f"note: there is no {self.file!a} here; the one in {self.context!a} is meant")
        return inside

    def packed(self) -> Context:
        """The context of what is here."""
        from registryauth.azure.build_context import archived, pack, pack_dockerfile

        if self.context == "-":
            return pack_dockerfile(self.stdin)
        return pack(self.context, self.dockerfile) if os.path.isdir(self.context) else archived(self.context, self.dockerfile)


def _stdin() -> bytes:
    from registryauth.azure.build_context import MAX_DOCKERFILE

    return sys.stdin.buffer.read(MAX_DOCKERFILE + 1)


def _placed(builds: Builds, source: _Source, request: BuildRequest) -> BuildRequest:
    """*request* with its source where the service finds it: it fetches URLs itself, the rest is sent."""
    from registryauth.azure.build_context import LARGE, described, sized
    from registryauth.azure.build_request import shown_source
    from registryauth.cli.console import say

    if source.is_remote:
        say(f"The service fetches {shown_source(source.context)} itself.")
        return request.replace(source=source.context, dockerfile=source.dockerfile)
    context = source.packed()
    try:
        for line in context.left_out[:_SHOWN]:
            say(f"note: {line}")
        if len(context.left_out) > _SHOWN:
            say(f"note: {len(context.left_out) - _SHOWN} more were left out")
        if context.size > LARGE:
            say(f"warning: a large context; most of it: {described(context.biggest)}; .dockerignore keeps out what the build does not need")
        counted = f"{context.files} {'entry' if context.files == 1 else 'entries'}, " if context.files else ""
        say(f"Sending the context ({counted}{sized(context.size)}) to {builds.registry.id.name}.")
        return request.replace(source=builds.upload(context), dockerfile=context.dockerfile)
    finally:
        context.close()


#: Lines about what was left out.
_SHOWN = 10


def _tell(watch: Watch, run: Run, registry: ContainerRegistry, request: BuildRequest, how: How, output: Output) -> None:
    """Show how *run* stands, or ended; raise `BuildFailed` unless it came to a good end or is not waited for."""
    from registryauth.cli.azure.watching import document, rows
    from registryauth.cli.console import say, show

    host, log_was_shown = str(registry.login_server), output is Output.TABLE and not how.no_logs
    try:
        if how.no_wait or not log_was_shown:
            show(output, document(run, host), ("WHAT", "VALUE"), rows(run, host))
    finally:
        # Nobody may be left who reads that.
        if not how.no_wait:
            watch.check(run)
    if how.no_wait:
        say(f"Watch it: registryauth azure acr run logs {run.id} --registry {registry.id.name}")
    elif log_was_shown:
        for image in run.images:
            say(f"Built {image.registry or host}/{image.repository}:{image.tag}@{image.digest}")
        if not run.images:
            say("Built; nothing was pushed." if not (request.push and request.images) else "Built; Azure does not say what was pushed.")


app = single(build)
