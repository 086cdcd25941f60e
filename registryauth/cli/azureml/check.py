"""``registryauth azureml check``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from registryauth.cli.app import single
from registryauth.cli.options import Output, OutputOption, WorkspaceOption


def check(
    inference: Annotated[str, typer.Option("--ic", metavar="FILE", help="The inference configuration: inferenceconfig.json.")],
    deployment: Annotated[str, typer.Option("--dc", metavar="FILE", help="The deployment configuration: deploymentconfig.json.")] = "",
    compute_target: Annotated[str, typer.Option("--ct", metavar="NAME", help="The compute target, as 'az ml model deploy' takes it.")] = "",
    workspace: WorkspaceOption = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Say who pulls the base image of a v1 deployment, and if they can. No registry is asked.

    Exit status 7 if they cannot.
    """
    from registryauth.cli.console import show
    from registryauth.cli.session import Session
    from registryauth.exports import azureml_check

    session = Session()
    with session.resolver(workspace=workspace) as resolver:
        verdict = azureml_check.check(
            _load(inference), _load(deployment) if deployment else None, compute_target, classify=resolver.classify, known=session.spelled
        )
    rows = [
        ("base image", verdict.image),
        ("registry", verdict.kind),
        ("pulled by", verdict.puller),
        ("can", "yes" if verdict.can else "no"),
        ("because", verdict.why),
        ("deployed by", verdict.deployed),
        ("advice", verdict.advice),
    ]
    data = {
        "version": 1,
        "can_pull": verdict.can,
        "image": verdict.image or None,
        "kind": verdict.kind or None,
        "pulled_by": verdict.puller,
        "why": verdict.why,
        "deployed_by": verdict.deployed or None,
        "advice": verdict.advice or None,
    }
    show(output, data, ("WHAT", "VALUE"), [row for row in rows if row[1]])
    if not verdict.can:
        raise typer.Exit(7)


def _load(path: str) -> Any:  # noqa: ANN401 - JSON
    """The JSON in the file at *path*; `ConfigurationError` where it cannot be read."""
    from registryauth._json import MAX_JSON, load_json
    from registryauth._redact import printable
    from registryauth.errors import ConfigurationError

    try:
        with open(path, "rb") as file:
            data = file.read(MAX_JSON + 1)
    except OSError as error:
        raise ConfigurationError(f"{printable(path)} cannot be read: {error.strerror}", file=path, hint="name the file itself") from error
    return load_json(data, printable(path))


app = single(check)
