"""``registryauth resolve``."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from registryauth.cli.app import single
from registryauth.cli.groups import Group
from registryauth.cli.options import Misuse, Output, OutputFile, OutputOption, Whose


def _help(name: str) -> str:
    """List the formats where that is asked for, before anybody misses an image."""
    if name != "help":
        return name
    from registryauth.exports import FORMATS

    print("\n".join(f"{name:28}{format_.what}" for name, format_ in FORMATS.items()))
    raise typer.Exit


class _Document(Group):
    """What ``--format`` makes, and where it goes."""

    document: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAME",
            help="The target's document, with the secret; --format help lists them.",
            callback=_help,
            is_eager=True,
        ),
    ] = ""
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Name of the object that --format makes.")] = ""
    namespace: Annotated[str, typer.Option("--namespace", metavar="NAME", help="Namespace of the object that --format makes.")] = ""
    label: Annotated[list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="Label of the object that --format makes.")] = None
    allow_short_lived: Annotated[
        bool, typer.Option("--allow-short-lived", help="Let --format write a credential that ends within a day to a target that keeps it.")
    ] = False
    allow_whole_registry: Annotated[
        bool,
        typer.Option(
            "--allow-whole-registry", help="Let --format write what is registered for a path to a target that uses it for the registry."
        ),
    ] = False
    output_file: OutputFile = ""
    show_secret: Annotated[bool, typer.Option("--show-secret", help="Let --format write the secret to a terminal.")] = False
    consumer: Annotated[
        str, typer.Option("--consumer", metavar="NAME", help="Who gets it, for 'principal consumers'; the file unless said.")
    ] = ""
    no_record: Annotated[bool, typer.Option("--no-record", help="Do not note the file as a consumer of the principal.")] = False


def resolve(
    references: Annotated[list[str], typer.Argument(metavar="REFERENCE...", help="Images: myregistry.azurecr.io/myimage:v1")],
    output: OutputOption = Output.TABLE,
    export: _Document = _Document(),
    explain: Annotated[bool, typer.Option("--explain", help="Say which sources were asked, and what each said.")] = False,
    whose: Whose = Whose(),
    fail_if_expired: Annotated[bool, typer.Option("--fail-if-expired", help="Exit status 7 if a secret has expired.")] = False,
) -> None:
    """Find the pull secret for each image, and where it comes from.

    Exit status 3 if there is none and the registry is not public.
    """
    options = _checked(export, redacted=output is not Output.TABLE or explain)
    if export.document:
        _export(references, export, options, whose, fail_if_expired=fail_if_expired)
        return
    from registryauth.cli.console import moment, show
    from registryauth.cli.expired import mind_expiry
    from registryauth.cli.session import Session

    session = Session()
    with session.resolver(**whose.arguments()) as resolver:
        wanted = _references(session, references)
        if explain:
            explanations = [resolver.explain(reference) for reference in wanted]
            _explain(explanations, output)
            mind_expiry([each.secret for each in explanations if each.secret], session.config, fail=fail_if_expired)
            return
        secrets = _secrets(resolver, wanted)
        mind_expiry(secrets, session.config, fail=fail_if_expired)
        rows = [(str(s.reference), s.kind.value, s.source, _account(s), moment(s.expires_at)) for s in secrets]
        data = {"version": 1, "pull_secrets": [_plain(secret.classification, secret.answers, secret) for secret in secrets]}
        show(output, data, ("REFERENCE", "KIND", "SOURCE", "ACCOUNT", "EXPIRES"), rows)


def _checked(export: _Document, *, redacted: bool) -> Any:  # noqa: ANN401 - Options, not imported here
    """What the document is to say; raise `Misuse` for options that do not go together, before anything is asked."""
    from registryauth.cli.console import is_terminal
    from registryauth.exports.options import Options

    if not export.document:
        given = export.replace(output_file="", show_secret=False)
        if given != _Document():
            raise Misuse(
                "--name, --namespace, --label, --allow-short-lived, --allow-whole-registry, --consumer and --no-record go with --format"
            )
        if export.output_file:
            raise Misuse("--output-file goes with --format")
        return None
    if redacted:
        raise Misuse("--format exports the secret, --output and --explain show it redacted: choose one")
    if export.consumer and export.no_record:
        raise Misuse("--consumer names who is noted, --no-record notes nobody: choose one")
    from registryauth.exports import format_named

    options = Options(export.name, export.namespace, tuple(_label(text) for text in export.label or ()))
    format_named(export.document, options)
    if not export.output_file and not export.show_secret and is_terminal(sys.stdout):
        raise Misuse("that would show the secret on the terminal: use --output-file, a pipe, or --show-secret")
    return options


def _export(references: list[str], wanted: _Document, options: Any, whose: Whose, *, fail_if_expired: bool) -> None:  # noqa: ANN401 - Options
    from registryauth.cli.expired import mind_expiry
    from registryauth.cli.exported import Exported, target_of
    from registryauth.cli.session import Session
    from registryauth.exports import FORMATS, export

    session = Session()
    # One store for the questions and for what is noted: to open it may ask a person for a passphrase.
    with _store(session) as store, session.resolver(store=store, **whose.arguments()) as resolver:
        secrets = _secrets(resolver, _references(session, references), FORMATS[wanted.document].unasked)
        mind_expiry(secrets, session.config, fail=fail_if_expired)
        document = export(
            secrets,
            wanted.document,
            options,
            allow_short_lived=wanted.allow_short_lived,
            allow_whole_registry=wanted.allow_whole_registry,
        )
        target = target_of(session, wanted.output_file, wanted.consumer)
        exported = Exported(store, secrets if document.secret else (), wanted.document, target)
        exported.announce()
        _write(document.text, wanted.output_file)
        if not wanted.no_record:
            exported.remember()


def _store(session: Any) -> Any:  # noqa: ANN401 - Session and a context manager of AuditedStore | None
    """The configured store, None where none was made yet: to ask is not to make one."""
    import os
    from contextlib import nullcontext

    path = session.config.store_path
    made = session.config.store_backend != "local" or (path and os.path.lexists(path))
    return session.store() if made else nullcontext()


def _secrets(resolver: Any, references: list[Any], unasked: tuple[Any, ...] = ()) -> list[Any]:  # noqa: ANN401 - Resolver, PullSecret
    """The pull secret of each of *references*, looked up once for each repository, and all of them in one go.

    Where the target needs none of the *unasked* kinds, no source is asked for one.
    """
    repositories = {reference.repository: reference for reference in reversed(references)}
    found = {repository: _unasked(resolver, reference, unasked) for repository, reference in repositories.items()}
    asked = [repository for repository, secret in found.items() if secret is None]
    found |= zip(asked, resolver.resolve_all(repositories[each] for each in asked), strict=True)
    firsts = ((reference, found[reference.repository]) for reference in references)
    # A workspace's image may be named without its registry, which its pull secret has.
    return [first.beside(reference.replace(repository=first.reference.repository, implied_registry=False)) for reference, first in firsts]


def _unasked(resolver: Any, reference: Any, unasked: tuple[Any, ...]) -> Any:  # noqa: ANN401 - Resolver, Reference, PullSecret | None
    classification = resolver.classify(reference) if unasked else None
    if classification is None or classification.kind not in unasked:
        return None
    from registryauth.credentials import NOBODY
    from registryauth.resolver import Found, PullSecret

    return PullSecret(classification, Found("none needed", classification.why, lambda: NOBODY), ())


def _references(session: Any, texts: list[str]) -> list[Any]:  # noqa: ANN401 - Session, Reference
    from registryauth.reference import Reference

    known = session.spelled
    return [Reference.parse(text, known=known) for text in texts]


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise Misuse("--label is KEY=VALUE")
    return key, value


def _write(text: str, output_file: str) -> None:
    if output_file:
        from registryauth._paths import write_private
        from registryauth.errors import Error, StoreUnavailable

        try:
            write_private(output_file, text.encode())
        except StoreUnavailable as error:
            # It is not the store that failed, and the exit status must not say so.
            raise Error(str(error), hint=error.hint) from error
    else:
        # As into the file: UTF-8 whatever the locale, for a secret is bytes to whoever reads it.
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()


def _account(secret: Any) -> str:  # noqa: ANN401 - PullSecret, not imported here
    from registryauth.credentials import Anonymous, to_login

    return "(none needed)" if isinstance(secret.credential, Anonymous) else to_login(secret.credential)[0]


def _explain(explanations: list[Any], output: Any) -> None:  # noqa: ANN401 - Explanation and Output
    """Print each of *explanations*, also of what failed; then raise the first failure."""
    from registryauth.cli.console import show

    if output is Output.TABLE:
        print("\n".join(map(str, explanations)))
    else:
        plain = [_plain(each.classification, each.answers, each.secret, each.error) for each in explanations]
        show(output, {"version": 1, "pull_secrets": plain}, (), ())
    for explanation in explanations:
        if explanation.error is not None:
            raise explanation.error


def _plain(classification: Any, answers: Any, secret: Any, error: Any = None) -> dict[str, Any]:  # noqa: ANN401 - not imported here
    """The pull secret without the secret; where there is none, *error* says why."""
    from registryauth.cli.console import moment
    from registryauth.credentials import Anonymous, to_login

    reference = classification.reference
    credential = secret.credential if secret else None
    username = None if credential is None or isinstance(credential, Anonymous) else to_login(credential)[0]
    return {
        "reference": str(reference),
        "registry": str(reference.registry),
        "repository": reference.repository.path,
        "kind": classification.kind.value,
        "why": classification.why,
        "provider": classification.provider.name,
        "source": secret.source if secret else None,
        "detail": secret.detail if secret else None,
        "account": (secret.account or None) if secret else None,
        "slot": (secret.serial or None) if secret else None,
        "credential": {"type": type(credential).__name__, "username": username} if secret else None,
        "expires_at": (moment(secret.expires_at) or None) if secret else None,
        "error": str(error) if error else None,
        "trace": [{"source": each.source, "verdict": each.verdict.replace(" ", "-"), "detail": each.detail} for each in answers],
    }


app = single(resolve)
