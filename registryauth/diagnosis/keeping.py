"""Checks of what keeps the secrets: settings, store, key, permissions, audit log, dates."""

from __future__ import annotations

import os
import stat
from typing import cast

from registryauth._paths import require_own_dir, require_private
from registryauth._redact import printable
from registryauth.config import DEFAULT, user_file
from registryauth.diagnosis.step import Look, broken, failed, fine, odd
from registryauth.diagnosis.surroundings import Surroundings
from registryauth.errors import StoreError, StoreLocked
from registryauth.stores.audited import behind
from registryauth.stores.commands import command
from registryauth.stores.expiry import outlook, state, too_early, warning_span
from registryauth.stores.rehearsal import rehearse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from registryauth.stores.encrypted import EncryptedStore
    from registryauth.stores.principal import Principal

#: Free bytes below which a store cannot be written any more, with its journal.
_ROOM = 8 * 1024 * 1024
#: Bytes of the log up to which its whole chain is checked: about as many as are read in a quarter of a second.
_MAX_CHECKED = 16 * 1024 * 1024
#: Seconds by which a file may be younger than now: file servers have clocks of their own.
_SKEW = 300
#: No clock that is right shows an earlier moment: 2026-01-01.
_BUILT = 1_767_225_600


def configuration(here: Surroundings) -> Look:
    """Whether the settings can be read, what differs from the defaults, and which of it weakens something."""
    config, file = here.config, user_file(here.environ)
    changed = [(key, value, origin) for key, value, origin in config.describe() if origin != DEFAULT]
    facts = {"file": file, "exists": os.path.isfile(file), "changed": [{"key": k, "value": v, "origin": o} for k, v, o in changed]}
    plain = [host for host, said in sorted(config.registries.items()) if said.insecure]
    said = f"{file if os.path.isfile(file) else 'no file'}, {len(changed)} settings differ from the default"
    if plain:
        return odd(f"{said}; plain http is allowed for {', '.join(plain)}", "secrets can be read on the way there: use https", facts)
    return fine(said, facts)


def store(here: Surroundings) -> Look:
    """Whether the store is there, and what it says of itself without its key."""
    kept = here.store.status()
    facts = {name: value for name, value in kept.items() if isinstance(value, str | int | bool | None)}
    if not kept.get("exists", True):
        return fine(f"{kept['path']}: none yet, the first login makes it", facts)
    if kept.get("sealed"):
        return broken(f"{kept['path']} is sealed", "whoever runs it has to unseal it: vault operator unseal", facts)
    return fine(f"{kept['backend']}, {kept['path']}", facts)


def key(here: Surroundings) -> Look:
    """Whether the key is at hand: every record is read, which leaves nothing behind."""
    kept = here.store.status()
    source = str(kept.get("key") or here.config.store_key)
    if not kept.get("exists", True):
        return fine(f"{source}, chosen when the store is made", {"key": source})
    try:
        count = len(here.records)
    except StoreLocked as error:
        return failed(error).replace(hint=error.hint or "registryauth unlock")
    return fine(f"{source}: it opens {count} {'record' if count == 1 else 'records'}", {"key": source, "records": count})


def writing(here: Surroundings) -> Look:
    """Whether the store can be written, read and removed from: a record is, and all of that is taken back."""
    if here.config.store_backend != "local":
        return fine("not tried: a probe would leave a trace in a store that others share", {"tried": False})
    path = here.config.store_path
    directory = os.path.dirname(path)
    while not os.path.exists(directory) and directory != os.path.dirname(directory):
        directory = os.path.dirname(directory)
    refused = [place for place in (directory, path) if os.path.exists(place) and not os.access(place, os.W_OK)]
    if refused:
        return broken(f"{refused[0]} cannot be written", "check who owns it and its directory, and whether the disk is mounted read-only")
    found = os.statvfs(directory)
    free = found.f_bavail * found.f_frsize
    if free < _ROOM:
        return broken(f"{directory} has {free} bytes left", "make room on that disk: nothing can be stored", {"free": free})
    try:
        rehearsed = rehearse(cast("EncryptedStore", behind(here.store)))
    except StoreLocked:
        # Another check says why.
        rehearsed = False
    tried = ", a record was written, read, removed and taken back" if rehearsed else ""
    return fine(f"{directory}, {free // 1024**2} MiB free{tried}", {"free": free, "tried": rehearsed})


def permissions(here: Surroundings) -> Look:
    """Whether nobody else can read or replace what is ours."""
    config = here.config
    checked, complaints = [], []
    for file in (config.store_path, config.store_key_file, config.audit_file):
        for place in (os.path.dirname(file), file) if file else ():
            if place in checked or not os.path.lexists(place):
                continue
            checked.append(place)
            try:
                require_private(place, os.lstat(place)) if place == file else require_own_dir(place)
            except StoreError as error:
                complaints.append((error.message, error.hint))
    settings = user_file(here.environ)
    if settings and os.path.isfile(settings) and os.stat(settings).st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        complaints.append((f"others can write {settings}", f"run: chmod go-w {settings}"))
    facts = {"checked": checked, "complaints": [message for message, _ in complaints]}
    if complaints:
        return broken("; ".join(message for message, _ in complaints), "; ".join(filter(None, (hint for _, hint in complaints))), facts)
    return fine(f"{len(checked)} files and directories are yours alone", facts)


def audit(here: Surroundings) -> Look:
    """Whether the log can be written, and none of its lines was changed."""
    from registryauth.audit.verification import verify

    config = here.config
    if config.audit_mode == "off" or not config.audit_file:
        return fine("switched off", {"mode": config.audit_mode})
    file = config.audit_file
    facts: dict[str, object] = {"mode": config.audit_mode, "file": file}
    if not os.path.lexists(file):
        return fine(f"{file}: none yet", facts)
    if not os.access(file, os.W_OK):
        return broken(f"{file} cannot be written", "check who owns it" + _stops(config.audit_mode), facts)
    if os.path.getsize(file) > _MAX_CHECKED:
        return fine(f"{file}, too long to be checked here: registryauth audit verify", facts)
    verdict = verify([file], here.store.chain_key())
    facts |= {"lines": verdict.lines, "authentic": verdict.authentic, "faults": verdict.faults.count}
    if verdict.faults:
        first = verdict.faults.named[0]
        return broken(f"{file}: line {first.line} {first.what}", "registryauth audit verify shows every such line", facts)
    return fine(f"{file}, {verdict.lines} line{'' if verdict.lines == 1 else 's'}, the chain is whole", facts)


def _stops(mode: str) -> str:
    return "; until then nothing is handed out, for audit.mode is required" if mode == "required" else ""


def expiry(here: Surroundings) -> Look:
    """Which secrets have ended, or end soon."""
    now, within = here.clock(), warning_span(here.config)
    dead: list[str] = []
    soon: list[str] = []
    ending: list[tuple[int, Principal]] = []
    for record in here.records:
        slot = record.slot(now)
        if record.disabled_at or record.renewed_by(now):
            continue
        who = f"{printable(record.account, 80)} for {record.address}"
        found = state(slot, now, within)
        if found in ("expired", "expiring"):
            (dead if found == "expired" else soon).append(f"{who} {outlook(slot.expires_at, now)}")
            ending.append((slot.expires_at, record))
        elif early := too_early(printable(record.account, 80), record.address, slot, now):
            soon.append(early)
    facts = {"expired": dead, "expiring": soon}
    first = min(ending, key=lambda each: each[0])[1].key if ending else None
    rotate = f"{command('principal rotate', first)} puts a new one in place; " if first else ""
    hint = f"{rotate}registryauth principal list --expiring 30d shows them all"
    if dead:
        return broken("; ".join([*dead, *soon]), hint, facts)
    return odd("; ".join(soon), hint, facts) if soon else fine("no secret has ended or ends soon", facts)


def clock(here: Surroundings) -> Look:
    """Whether the clock can be right: not before this program was made, nor before our own files were written."""
    now = here.clock()
    ours = [place for place in (here.config.store_path, here.config.audit_file) if place and os.path.exists(place)]
    latest = max((os.path.getmtime(place) for place in ours), default=0.0)
    facts = {"now": round(now), "latest_file": round(latest) or None}
    if now < _BUILT or now < latest - _SKEW:
        hint = "set it (timedatectl set-ntp true): tokens, certificates and dates are judged by it"
        return broken("the clock is behind what was written on this machine already", hint, facts)
    return fine("not behind anything that we wrote; doctor REFERENCE compares it with a registry's", facts)
