"""The links of authentication: what the registry asks for, where that may go, what comes back, and what it is good for."""

from __future__ import annotations

from contextlib import ExitStack
from email.utils import parsedate_to_datetime

from registryauth._origin import may_carry, may_visit
from registryauth._redact import printable
from registryauth.auth import Scope, exchange
from registryauth.auth.challenge import choose, parse
from registryauth.azure.acr_errors import speaks_for_itself, what_lets_pull
from registryauth.credentials import Anonymous, RegistryToken
from registryauth.diagnosis.reaching import elsewhere
from registryauth.diagnosis.step import Look, broken, failed, fine, odd
from registryauth.diagnosis.walk import Walk
from registryauth.errors import Denied, Error, RegistryError, TokenRefused, Unauthorized

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from registryauth._http import Response
    from registryauth.auth.exchange import Token
    from registryauth.credentials import Pinned

#: Seconds by which two clocks may differ: token servers allow a minute or more (distribution: registry/auth/token, Leeway).
_SKEW = 60


def challenge(walk: Walk) -> Look:
    """The registry's bare answer to ``GET /v2/``, nothing sent that tells who asks; and its clock."""
    with ExitStack() as stack:
        client = stack.enter_context(walk.tools.open_client(walk.tools.resolver, walk.registry.host))
        try:
            bare = client.challenge(walk.registry)
        except Denied as error:
            return _denied(walk, error)
        except RegistryError as error:
            if error.status == 429 or error.status >= 500:
                return failed(error)
            return broken(f"{walk.registry} answers {error.status} to GET /v2/", "is this address a container registry?")
        with bare:
            look = _answered(walk, bare)
        if look.outcome != "broken":
            # Whoever runs the chain closes it at the end.
            stack.pop_all()
            look = look.replace(learnt={**look.learnt, "client": client})
        return look


def _answered(walk: Walk, bare: Response) -> Look:
    facts, skew = _clock(bare.headers.get("date"), walk.tools.clock())
    media_type = bare.headers.get("content-type").partition(";")[0].strip().lower()
    if bare.status == 200:
        if media_type in ("text/html", "application/xhtml+xml"):
            return broken(f"{walk.registry} answers with a web page", "is this address a container registry, or did a proxy answer for it?")
        return _timed("it asks nobody for a credential", facts | {"scheme": None}, skew, {"origin": bare.url.origin})
    lines = bare.headers.all("www-authenticate")
    if not lines:
        return broken(f"{walk.registry} refuses us and does not say what it wants (no WWW-Authenticate)", "is this a container registry?")
    asked = choose(parse(lines))
    words = {name: printable(asked.param(name)) for name in ("realm", "service", "scope") if asked.param(name)}
    said = ", ".join((asked.scheme, *(f"{name} {value}" for name, value in words.items())))
    return _timed(said, facts | {"scheme": asked.scheme, **words}, skew, {"origin": bare.url.origin, "challenge": asked})


def _timed(said: str, facts: Mapping[str, object], skew: float | None, learnt: Mapping[str, object]) -> Look:
    if skew is None or abs(skew) <= _SKEW:
        return fine(said, facts, **learnt)
    direction = "ahead of" if skew > 0 else "behind"
    hint = "set the clock (timedatectl set-ntp true): tokens and certificates are checked against it"
    return odd(f"{said}; this machine's clock is {abs(skew):.0f} seconds {direction} the registry's", hint, facts, **learnt)


def _clock(date: str, now: float) -> tuple[dict[str, object], float | None]:
    """How far our clock is ahead of the server's ``Date``, in seconds; None where it sent none."""
    try:
        skew = now - parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return {"clock_skew_seconds": None}, None
    return {"clock_skew_seconds": round(skew)}, skew


def _denied(walk: Walk, error: Denied) -> Look:
    look = failed(error, walk.private)
    if walk.is_acr and walk.private:
        hint = "through the private endpoint this machine would get in: link the private DNS zone privatelink.azurecr.io to its network"
        return look.replace(hint=f"{hint}; or else {look.hint}")
    return look


def realm(walk: Walk) -> Look:
    """Whether the credential may go where the registry wants it, and whether that host can be reached."""
    asked, origin = walk.challenge, walk.origin
    if asked is None or origin is None:
        return fine("there is none to ask")
    insecure = walk.tools.is_insecure(walk.registry) or any(pinned.insecure for pinned in walk.candidates)
    if asked.scheme == "basic":
        return fine("the user name and the password go to the registry itself", {"origin": str(origin)})
    target = exchange.realm(asked)
    if not walk.candidates:
        may_visit(origin, target, insecure=insecure)
    for pinned in walk.candidates:
        may_carry(origin, pinned.realms, target, insecure=insecure)
    facts = {"realm": target.redacted, "pinned": [str(each) for pinned in walk.candidates[:1] for each in pinned.realms]}
    if target.origin == origin:
        return fine(f"{target.redacted}, the registry's own", facts, realm=target)
    reached = elsewhere(walk, target.origin, "the token server")
    if reached.outcome != "ok":
        return reached
    why = "" if not walk.candidates else ", where the credential was registered for" if facts["pinned"] else ", known to be this registry's"
    return fine(f"{target.redacted}{why}: {reached.detail}", facts | dict(reached.facts), realm=target)


def token(walk: Walk) -> Look:
    """What the token server gives for the credential, asked to pull; at a registry that takes passwords, what that says to it."""
    asked, client = walk.challenge, walk.asking
    if asked is None:
        return fine("none is needed")
    held = walk.candidates[0].credential if walk.candidates else None
    try:
        if asked.scheme == "basic" or isinstance(held, RegistryToken):
            if not walk.candidates:
                return _nobody(walk)
            client.ping(walk.repository)
            taken = "the token as it is" if isinstance(held, RegistryToken) else "the user name and the password"
            return fine(f"the registry takes {taken}")
        return _granted(walk)
    except (TokenRefused, Unauthorized, Denied) as error:
        return refused(walk, error)


def _nobody(walk: Walk) -> Look:
    if works_without(walk):
        return fine("it lets us pull without a password")
    hint = f"registryauth login {walk.registry}"
    return broken("the registry wants a user name and a password, and no source has one", hint)


def _granted(walk: Walk) -> Look:
    """A token, by the first credential that gets one: the second is tried after a 401 only, as every client of ours does."""
    scope = Scope.of(walk.repository, "pull")
    first: TokenRefused | None = None
    for pinned in walk.candidates or (None,):
        try:
            given = _ask(walk, pinned, scope)
        except TokenRefused as error:
            if error.status != 401 or first is not None:
                raise first or error from None
            first = error
            continue
        seconds = max(0, given.expires_at - walk.tools.clock())
        whose = "" if walk.candidates else ", though nobody logged in"
        said = f"the token server gave one for {seconds:.0f} seconds{whose}"
        facts = {"expires_in": round(seconds), "anonymous": not walk.candidates}
        if first:
            hint = f"the newer of the two secrets is not good: {walk.rotating}"
            return odd(f"{said}, for the second secret; the first was refused: {first.message}", hint, facts, token=given)
        return fine(said, facts, token=given)
    raise first or AssertionError("there is a candidate, or nobody")


def _ask(walk: Walk, pinned: Pinned | None, scope: Scope) -> Token:
    asked = walk.challenge
    if asked is None:
        raise AssertionError("nobody asked for a token")
    with walk.tools.open_client(lambda _: (pinned,) if pinned else (), walk.registry.host) as client:
        # So that it knows where the registry is, and by which protocol.
        client.challenge(walk.registry).close()
        return client.grant(walk.repository, asked, scope)


def refused(walk: Walk, error: Error) -> Look:
    """*error*, with what whoever issued the secret says of it, its date, and whether it works without one."""
    status = getattr(error, "status", 0)
    if status == 429:
        return failed(error).replace(facts={"error": type(error).__name__, "status": status, "throttled": True})
    more = []
    cause = hint = ""
    if walk.candidates and status in (0, 400, 401, 403):
        if walk.expired:
            more.append(f"by its date the secret {walk.expired}")
            hint = f"put a new one in place: {walk.rotating}"
        if walk.secret is not None and not speaks_for_itself(error) and (meaning := walk.tools.second_opinion(walk.secret)):
            cause, hint = meaning.said, meaning.hint
        if works_without(walk):
            more.append("it works without a credential")
            hint = hint or f"remove the credential, if that is all you need: registryauth logout {walk.registry}"
    look = failed(error)
    # The cause before its effect: a terminal may cut the line.
    look = look.replace(detail="; ".join(filter(None, (cause, look.detail, *more))))
    public = "it works without a credential" in more
    return look.replace(hint=hint or look.hint, facts={"error": type(error).__name__, "status": status, "works_without_credential": public})


def works_without(walk: Walk) -> bool:
    """Whether the manifest can be had by nobody in particular; told, never done."""
    try:
        with walk.tools.open_client(lambda _: (), walk.registry.host) as client:
            client.repository(walk.repository).head(walk.named.target)
    except Error:
        return False
    return True


def is_refusal(walk: Walk, look: Look) -> bool:
    """Whether *look* is that a registry of Azure's refused somebody, so that its settings may say why."""
    refused_by = look.facts.get("error") in ("TokenRefused", "Unauthorized", "Denied")
    return walk.is_acr and refused_by and not look.facts.get("throttled")


def roles(walk: Walk, stopped: str) -> Look | None:
    """How the account stands at the registry that refused it at the link *stopped*; None where nobody here may look."""
    from registryauth.errors import NoIdentity

    try:
        found = walk.tools.standing(walk.registry, walk.repository.path, walk.secret, stopped == "challenge")
    except NoIdentity:
        return None
    except Error as error:
        return fine(f"resource management does not say how the account stands: {error.message.partition(chr(10))[0]}")
    if found is None:
        return None
    return odd(found.detail, found.hint) if found.explains else fine(found.detail)


def scope(walk: Walk) -> Look:
    """What the token says that it grants: a 200 of a token server is no grant."""
    given = walk.token
    if given is None:
        return fine("nothing says so before it is tried")
    if given.granted is None:
        return fine("the token does not show what it grants")
    path = walk.repository.path
    actions = sorted({one for kind, name, listed in given.granted if (kind, name) == ("repository", path) for one in listed})
    facts = {"granted": [printable(action, 40) for action in actions], "witness": given.witness}
    if "pull" in actions or "*" in actions:
        return fine(f"{printable(', '.join(actions))} on {path}: {given.witness}", facts)
    what = printable(", ".join(actions)) or "nothing"
    look = refused(walk, Denied(f"{given.witness}: {what} on {path}, and pull is not among it", status=403, hint=_role(walk)))
    return look.replace(facts=facts | dict(look.facts))


def _role(walk: Walk) -> str:
    if not walk.candidates or isinstance(walk.candidates[0].credential, Anonymous):
        return f"registryauth login {walk.registry}"
    if walk.is_acr:
        return what_lets_pull(walk.registry, walk.secret.account if walk.secret else None)
    return f"give the account the right to pull {walk.repository.path}, or check that name"
