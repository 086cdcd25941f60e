"""The first links: the text, what its registry is, and whose credential it gets."""

from __future__ import annotations

from registryauth._redact import printable
from registryauth.azure.acr_errors import look_alike
from registryauth.credentials import Anonymous, describe, to_login
from registryauth.diagnosis.step import Look, broken, failed, fine, odd
from registryauth.diagnosis.walk import Walk
from registryauth.errors import CredentialNotFound, Error
from registryauth.resolver import Found
from registryauth.stores.expiry import outlook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.resolver import Explanation, PullSecret

#: Seconds before a secret's end from which on it is a finding.
_SOON = 14 * 86400


def reference(walk: Walk) -> Look:
    """Whether the text is an image's name, and its host none that looks mistyped."""
    parsed = walk.tools.parse(walk.text)
    meant = "no registry was written, so Docker Hub is meant; " if parsed.implied_registry else ""
    facts = {"registry": str(parsed.registry), "repository": parsed.repository.path, "target": parsed.target}
    return fine(f"{meant}{parsed.repository}, {_target(parsed.target)}", facts, reference=parsed)


def _target(target: str) -> str:
    return f"digest {target[:19]}…" if ":" in target else f"tag {target}"


def kind(walk: Walk) -> Look:
    """What the registry is, and why we say so."""
    found = walk.tools.resolver.classify(walk.named)
    facts = {"kind": found.kind.value, "provider": found.provider.name, "may_be_public": found.may_be_public}
    if found.provider.role == "data":
        return broken(found.why, f"{found.reference.registry} serves blobs only: name the registry itself", facts)
    said = f"{found.kind.value}: {found.why}"
    if posed := look_alike(found.reference.registry):
        return odd(f"{posed.said}; {said}", posed.hint, facts, classification=found, reference=found.reference)
    return fine(said, facts, classification=found, reference=found.reference)


def credential(walk: Walk) -> Look:
    """Which credential the sources have, and why that one; it is read, and not sent anywhere yet."""
    explanation = walk.tools.resolver.explain(walk.named)
    facts: dict[str, object] = {"trace": list(explanation.trace)}
    if explanation.secret is None:
        return _none(walk, explanation, facts)
    secret = explanation.secret
    try:
        candidates = walk.tools.resolver.candidates(walk.repository)
        held = secret.credential
    except Error as error:
        return failed(error).replace(facts=facts | {"error": type(error).__name__, "source": secret.source})
    walk.tools.blotter.add(*(to_login(pinned.credential)[1] for pinned in candidates), to_login(held)[1])
    facts |= {"source": secret.source, "account": secret.account, "expires_at": secret.expires_at, "type": type(held).__name__}
    if isinstance(held, Anonymous):
        return fine(f"none is needed: {secret.detail}", facts, secret=secret)
    said = f"{describe(held)}, from {secret.source}: {secret.detail}"
    return _dated(walk, secret, said, facts, candidates)


def _dated(walk: Walk, secret: PullSecret, said: str, facts: dict[str, object], candidates: object) -> Look:
    now, ends = walk.tools.clock(), secret.expires_at
    if not ends or secret.renews or ends - now > _SOON:
        return fine(said, facts, secret=secret, candidates=candidates)
    words = outlook(ends, now)
    how = walk.replace(secret=secret).rotating
    hint = f"put a new one in place: {how}, or registryauth login {secret.address if secret.key else walk.registry}"
    # Its date is what somebody wrote down: whether it is so is the token server's to say.
    return odd(f"{said}; it {words}", hint, facts, secret=secret, candidates=candidates, expired=words if ends <= now else "")


def _none(walk: Walk, explanation: Explanation, facts: dict[str, object]) -> Look:
    error = explanation.error
    if error is not None and not isinstance(error, CredentialNotFound):
        return failed(error).replace(facts=facts | {"error": type(error).__name__})
    hint = error.hint if error else ""
    disabled = next((each.detail for each in explanation.answers if not isinstance(each, Found) and "; disabled: " in each.detail), "")
    if disabled:
        names = disabled.partition("; disabled: ")[2]
        return broken(f"the only entry for it is disabled: {names}", f"registryauth principal enable {walk.registry}", facts)
    asked = ", ".join(dict.fromkeys(printable(each.source, 40) for each in explanation.answers))
    if explanation.classification.may_be_public or walk.registry.is_loopback:
        return fine(f"no source has one ({asked}); it is asked without", facts)
    return odd(f"no source has one ({asked}); it is asked without", hint, facts)
