"""``registryauth resolve``."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Account, Misuse, Output, OutputFile, OutputOption


def resolve(
    references: Annotated[list[str], typer.Argument(metavar="REFERENCE...", help="Images: myregistry.azurecr.io/myimage:v1")],
    output: OutputOption = Output.TABLE,
    document: Annotated[
        str, typer.Option("--format", metavar="NAME", help="The target's document, with the secret; --format help lists them.")
    ] = "",
    name: Annotated[str, typer.Option("--name", help="Name of the object that --format makes.")] = "",
    namespace: Annotated[str, typer.Option("--namespace", help="Namespace of the object that --format makes.")] = "",
    label: Annotated[
        list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="Label of the object that --format makes.")
    ] = None,
    allow_short_lived: Annotated[
        bool, typer.Option("--allow-short-lived", help="Let --format write a credential that ends within a day to a target that keeps it.")
    ] = False,
    output_file: OutputFile = "",
    show_secret: Annotated[bool, typer.Option("--show-secret", help="Let --format write the secret to a terminal.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say which sources were asked, and what each said.")] = False,
    account: Account = "",
) -> None:
    """Find the pull secret for each image, and say where it comes from.

    Exit status 3 if there is none and the registry is not public.
    """
    from registryauth.cli.console import is_terminal, moment, say, show
    from registryauth.cli.session import Session
    from registryauth.errors import CredentialNotFound
    from registryauth.exports import FORMATS, Options, export, format_named

    if document and (output is not Output.TABLE or explain):
        raise Misuse("--format exports the secret, --output and --explain show it redacted: choose one")
    if document == "help":
        print("\n".join(f"{name:28}{format_.what}" for name, format_ in FORMATS.items()))
        return
    if (name or namespace or label or allow_short_lived) and not document:
        raise Misuse("--name, --namespace, --label and --allow-short-lived go with --format")
    options = Options(name, namespace, tuple(_label(text) for text in label or ()))
    if document:
        format_named(document, options)
    if output_file and not document:
        raise Misuse("--output-file goes with --format")
    if document and not output_file and not show_secret and is_terminal(sys.stdout):
        raise Misuse("that would show the secret on the terminal: use --output-file, a pipe, or --show-secret")
    session = Session()
    with session.resolver(account=account) as resolver:
        try:
            secrets = [resolver.resolve(session.reference(reference)) for reference in references]
        except CredentialNotFound as error:
            for line in error.trace if explain else ():
                say(f"  {line}")
            raise
        if document:
            _write(export(secrets, document, options, allow_short_lived=allow_short_lived).text, output_file)
            return
        if explain and output is Output.TABLE:
            print("\n".join(secret.explain() for secret in secrets))
            return
        rows = [(str(s.reference), s.kind.value, s.source, _account(s), moment(s.expires_at)) for s in secrets]
        data = {"version": 1, "pull_secrets": [_plain(secret) for secret in secrets]}
        show(output, data, ("REFERENCE", "KIND", "SOURCE", "ACCOUNT", "EXPIRES"), rows)


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


def _plain(secret: Any) -> dict[str, Any]:  # noqa: ANN401 - PullSecret, not imported here
    """The pull secret without the secret."""
    from registryauth.cli.console import moment
    from registryauth.credentials import Anonymous, to_login

    credential = secret.credential
    return {
        "reference": str(secret.reference),
        "registry": str(secret.reference.registry),
        "repository": secret.reference.repository.path,
        "kind": secret.kind.value,
        "source": secret.source,
        "detail": secret.detail,
        "credential": {
            "type": type(credential).__name__,
            "username": None if isinstance(credential, Anonymous) else to_login(credential)[0],
        },
        "expires_at": moment(secret.expires_at) or None,
        "trace": list(secret.trace),
    }


app = single(resolve)
