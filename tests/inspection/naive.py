"""The slow and plain way to the same answers: every layer applied, from the bottom up, into one dictionary of paths."""

from __future__ import annotations

import posixpath
import re
import tarfile

LINKS = 40


class Unpackable(Exception):
    """No engine could unpack this layer."""


def applied(layers):
    """Path to (kind, content or target, layer) of the whole image; *layers* are lists of (name, kind, value)."""
    fs = {}
    for number, members in enumerate(layers):
        diff, hidden, opaque = diff_of(members, number)
        for path in hidden:
            drop(fs, path)
        for path in opaque:
            for below in [each for each in fs if each.startswith(path.rstrip("/") + "/")]:
                del fs[below]
        for path, node in sorted(diff.items()):
            if node[0] == "dir":
                if fs.get(path, ("dir",))[0] != "dir":
                    drop(fs, path)
            else:
                drop(fs, path)
            fs[path] = node
    return fs


def drop(fs, path):
    for each in [each for each in fs if each == path or each.startswith(path + "/")]:
        del fs[each]


def diff_of(members, number):
    """What one layer holds after it was unpacked on its own, and what it whites out."""
    diff, hidden, opaque = {}, set(), set()
    for name, kind, value in members:
        parent, base = posixpath.split(posixpath.normpath("/" + name).replace("//", "/"))
        parent = made(diff, parent, number)
        path = posixpath.join(parent, base)
        if base == ".wh..wh..opq":
            opaque.add(parent)
        elif base.startswith(".wh."):
            hidden.add(posixpath.join(parent, base[4:]))
        elif kind == tarfile.DIRTYPE:
            if diff.get(path, ("",))[0] != "dir":
                replace(diff, hidden, opaque, path)
                diff[path] = ("dir", None, number)
        elif kind == tarfile.LNKTYPE:
            there, name_there = posixpath.split(posixpath.normpath("/" + value).replace("//", "/"))
            there = walked(diff, there)
            node = diff.get(posixpath.join(there, name_there)) if there else None
            node = ("doubt", None, number) if node is None or node[0] == "dir" else node
            replace(diff, hidden, opaque, path)
            diff[path] = node
        else:
            replace(diff, hidden, opaque, path)
            diff[path] = ("link" if kind == tarfile.SYMTYPE else "file", value, number)
    for path in hidden:
        if diff.get(path, ("",))[0] == "dir":
            opaque.add(path)
    return diff, hidden, opaque


def replace(diff, hidden, opaque, path):
    """What was at *path* in this layer is gone, and what was said about the inside of it."""
    was_directory = diff.get(path, ("",))[0] == "dir"
    drop(diff, path)
    if was_directory:
        for marks in (hidden, opaque):
            marks -= {mark for mark in marks if mark.startswith(path + "/") or (mark == path and marks is opaque)}


def walked(diff, path, make=None):
    """The real name of the directory *path* leads to in one layer; missing ones are made by *make*; None where there is none."""
    real, left, links = "/", [part for part in path.split("/") if part], 0
    while left:
        part = left.pop(0)
        if part in (".", ""):
            continue
        if part == "..":
            real = posixpath.dirname(real)
            continue
        step = posixpath.join(real, part)
        if step not in diff and make:
            make(step)
        kind, value, _ = diff.get(step, ("none", None, 0))
        if kind == "link" and links < LINKS:
            links += 1
            real = "/" if value.startswith("/") else real
            left = value.split("/") + left
        elif kind == "dir":
            real = step
        else:
            return None
    return real


def made(diff, path, number):
    found = walked(diff, path, lambda step: diff.__setitem__(step, ("dir", None, number)))
    if found is None:
        raise Unpackable
    return found


def resolved(fs, path):
    """(real path, node) where *path* leads to in the whole image; None where it leads nowhere, "doubt" where that cannot be told."""
    real, left, links = "/", path.split("/"), 0
    while left:
        part = left.pop(0)
        if part in (".", ""):
            continue
        if part == "..":
            real = posixpath.dirname(real)
            continue
        step = posixpath.join(real, part)
        kind, value, _ = fs.get(step, ("none", None, 0))
        if kind == "doubt":
            return "doubt"
        if kind == "link":
            links += 1
            if links > LINKS:
                return None
            real = "/" if value.startswith("/") else real
            left = value.split("/") + left
        elif kind == "dir":
            real = step
        else:
            return (step, fs[step]) if kind == "file" and not [each for each in left if each not in ("", ".")] else None
    return real, ("dir", None, 0)


def os_of(fs):
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        found = resolved(fs, path)
        if found == "doubt":
            return "doubt"
        if found and found[1][0] == "file":
            return re.search("VERSION_ID=(.*)", found[1][1].decode())[1], found[0], found[1][2]
    return None


def shell_of(fs):
    found = resolved(fs, "/bin/sh")
    return found if found in ("doubt", None) or found[1][0] == "dir" else (found[0], found[1][2])


def records_of(fs, prefix, package):
    """The conda records of *package* below *prefix*, which is real: (version, layer)."""
    meta = resolved(fs, f"{prefix}/conda-meta")
    if meta in ("doubt", None) or meta[1][0] != "dir":
        return meta if meta == "doubt" else []
    rows = []
    for path, (kind, _, layer) in fs.items():
        match = re.fullmatch(rf"{package}-([^-/]+)-[^-/]+\.json", posixpath.basename(path))
        if posixpath.dirname(path) == meta[0] and kind == "file" and match:
            rows.append((match[1], layer))
    return rows


def topmost(rows):
    top = max(layer for _, layer in rows)
    return sorted(version for version, layer in rows if layer == top)
