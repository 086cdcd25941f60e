"""What the page and the terminal call things."""

from __future__ import annotations

from registryauth.stores.expiry import outlook

#: The figures at the head of the page, in their order.
FIGURES = {
    "principals": "principals",
    "registries": "registries",
    "expired": "expired",
    "expiring": "expire within {span}",
    "over_privileged": "over-privileged",
    "never_used": "never used",
    "never_verified": "never verified",
    "kept_secrets": "old secrets kept",
    "disabled": "disabled",
}

#: What a figure is called where it is 1, and a sentence says it.
ONE = {"principals": "principal", "registries": "registry", "expiring": "expires within {span}", "kept_secrets": "old secret kept"}

#: What may need attention, in the order of `attention.KINDS`.
HEADINGS = {
    "expired": "Expired",
    "refused": "Refused by the registry",
    "over-privileged": "Over-privileged",
    "never-used": "Never used",
    "lacking": "Lacks a right that it needs",
    "expiring": "Expires soon",
    "early": "Not valid yet",
    "kept-secret": "Old secret kept for too long",
    "consumers-behind": "Targets with an older secret",
    "unanswered": "No answer",
    "never-verified": "Never verified",
}

DEFINITIONS = {
    "Over-privileged": "The registry lets it push, delete or change something else, and it was not registered as needing that. "
    "To read metadata or to list repositories is never counted.",
    "Never used": "A week after it was registered nobody has asked for it on the machine where this was made, and no target is noted. "
    "What other machines did with a shared store is not known here.",
    "Never verified": "Its registry was never seen to take its secret; where a registry asks nobody for a credential it cannot be.",
    "Old secrets kept": "A rotation replaced a secret and keeps it for targets that do not have the new one yet.",
    "Disabled": "Switched off, and handed to nobody. It counts here, among all principals, and nowhere else.",
    "Whose word": "What the token said, what the registry listed or refused to list. Nothing is tried by pushing or deleting, "
    "so what only that would show is not known.",
    "Dates": "All dates are UTC's.",
}


def span_in_words(seconds: int) -> str:
    """``30 days``, as every date is spoken of."""
    return outlook(seconds, 0).removeprefix("expires in ").partition(" (")[0]
