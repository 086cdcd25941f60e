"""Every failure that a person meets at Azure: how it comes about, and what is answered. docs/azure.md shows this table.

What Azure says is in its own words, from Microsoft's pages, recordings, clients and the issues in which people met them.
"""

from __future__ import annotations

from . import of_answers, of_audiences, of_names, of_network, of_own_accounts, of_people, of_roles, of_secrets, of_throttling, of_workspaces
from .failure import COMMANDS, STORED, Answer, Failure

__all__ = ["COMMANDS", "FAILURES", "STORED", "Answer", "Failure"]

#: By the title of their kind, in the order of the page.
FAILURES: dict[str, tuple[Failure, ...]] = {
    each.TITLE: each.FAILURES
    for each in (
        of_secrets,
        of_roles,
        of_own_accounts,
        of_network,
        of_throttling,
        of_audiences,
        of_answers,
        of_names,
        of_people,
        of_workspaces,
    )
}
