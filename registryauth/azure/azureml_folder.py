"""The workspace that an Azure ML folder belongs to: what the portal, ``Workspace.write_config`` and the v1 CLI leave in it.

Source: azure-ai-ml ``MLClient.from_config``: ``config.json`` or ``project.json`` in ``.azureml``, in ``aml_config`` or in the folder
itself, with ``subscription_id``, ``resource_group`` and ``workspace_name``, or with a resource id as ``Scope``; looked for in the
folders above, too.
"""

from __future__ import annotations

import os

from registryauth._json import Node, load_json
from registryauth._redact import printable
from registryauth.azure.resource_id import ResourceId
from registryauth.azure.workspaces import workspace_id
from registryauth.errors import ConfigurationError

#: Bytes; the file holds three names.
MAX_FILE = 64 * 1024
#: How far up is looked, as Microsoft's own client does.
_LEVELS = 20
_PLACES = tuple(os.path.join(place, file) for place in (".azureml", "aml_config", "") for file in ("config.json", "project.json"))
_FIELDS = ("subscription_id", "resource_group", "workspace_name")


def workspace_of_folder(folder: str) -> ResourceId:
    """The id of the workspace that *folder*, or the nearest folder above it that says so, belongs to; *folder* may be the file itself.

    Raise `ConfigurationError` where no file says so, and for one that does not say it as documented, naming the field.
    """
    path = folder if os.path.isfile(folder) else _found(folder)
    return _read(path)


def _found(folder: str) -> str:
    here = os.path.abspath(folder)
    if not os.path.isdir(here):
        raise ConfigurationError(f"there is no folder {printable(folder)}", file=folder, hint="name the one with the config.json in it")
    above = [here]
    while len(above) < _LEVELS and (parent := os.path.dirname(above[-1])) != above[-1]:
        above.append(parent)
    # The folder counts before the place in it: what is nearer is what was meant.
    for path in (os.path.join(level, place) for level in above for place in _PLACES):
        if os.path.isfile(path) and (os.path.basename(path) != "project.json" or _is_azureml(path)):
            return path
    raise ConfigurationError(
        f"neither {printable(folder)} nor a folder above it has a config.json of Azure ML",
        file=folder,
        hint="the workspace's page in the portal has 'Download config.json'; or give --subscription and --resource-group",
    )


def _is_azureml(path: str) -> bool:
    """Whether a file that many programs call so is Azure ML's."""
    return os.path.basename(os.path.dirname(path)) in (".azureml", "aml_config")


def _read(path: str) -> ResourceId:
    what = printable(path)
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise ConfigurationError(f"{what} cannot be read: {error.strerror}", file=path, hint="check its rights") from error
    # What Windows' editors save begins with a mark that JSON does not have.
    document = Node(load_json(data.removeprefix(b"\xef\xbb\xbf"), what, MAX_FILE), what)
    if scope := document.field("Scope").text().strip():
        # The id may go on below the workspace: the v1 CLI writes that of a project.
        return workspace_id("/".join(scope.strip("/").split("/")[:8]))
    said = [document.field(name).text().strip() for name in _FIELDS]
    for name, value in zip(_FIELDS, said, strict=True):
        if not value:
            raise ConfigurationError(f"{what} does not say {name}", file=path, key=name, hint=f"it must have {', '.join(_FIELDS)}")
    return workspace_id(said[2], *said[:2])
