"""Workspaces of Azure ML, and their registries."""

from __future__ import annotations

from .failure import Answer, Failure
from .provocations import keys_out_of_date, keys_refused, may_not_look, no_registry_yet, registry_deleted
from .words import REQUIRED

TITLE = "Workspaces"
FAILURES = (
    Failure(
        "no-registry-yet",
        "`containerRegistry: null`",
        "nothing was trained or deployed in the workspace yet",
        no_registry_yet,
        (
            Answer(
                ("azure workspace-registry",),
                "the workspace my-workspace has no container registry yet",
                "Azure makes one when a model is first trained or deployed there",
                3,
            ),
        ),
    ),
    Failure(
        "registry-deleted",
        "404 `ResourceNotFound`, of the registry",
        "the workspace names a registry that was deleted",
        registry_deleted,
        (Answer(("azure workspace-registry",), "names the registry myregistry, and there is none", "binds another", 3),),
    ),
    Failure(
        "may-not-look",
        "403 `AuthorizationFailed`",
        "the identity has no role at the workspace",
        may_not_look,
        (
            Answer(
                ("azure workspace-registry",),
                "you may not look at workspace my-workspace",
                "Reader on the workspace is enough for its registry's name",
            ),
        ),
    ),
    Failure(
        "keys-out-of-date",
        REQUIRED,
        "the admin user's password was renewed, and the workspace was not told",
        keys_out_of_date,
        (Answer(("manifest get", "doctor"), "az ml workspace sync-keys", "az ml workspace sync-keys --name my-workspace"),),
    ),
    Failure(
        "keys-refused",
        "403 `AuthorizationFailed`, of `listKeys`",
        "to list keys is no reader's right, and was asked for with `allow_admin_user`",
        keys_refused,
        (Answer(("manifest get",), "refuses a look of its keys", "without --allow-admin-user (allow_admin_user) you sign in as yourself"),),
    ),
)
