"""From a file to the principals in it, whichever of the forms below it has."""

from __future__ import annotations

import os
import re
import stat
import sys

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import ConfigurationError, Error, StoreUnavailable
from registryauth.principals.azureml_files import looks_like_azureml, read_azureml
from registryauth.principals.bundle import MAGIC, MAX_BUNDLE, read_bundle
from registryauth.principals.candidate import MAX_PRINCIPALS, Candidate, Rules, Skipped
from registryauth.principals.csv_list import read_csv
from registryauth.principals.docker_files import Helpers, read_docker
from registryauth.principals.toml_list import read_toml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from registryauth.stores.keys import Ask
    from registryauth.stores.principal import Principal

#: What `--from` takes.
FORMS = ("auto", "docker", "containers", "csv", "toml", "azureml", "registryauth", "bundle")
#: Bytes of a file; 100,000 principals with everything said of them stay below.
MAX_FILE = MAX_BUNDLE
#: The name that stands for standard input.
STDIN = "-"

_FOR_IMPORT = ("REGISTRYAUTH_IMPORT_PASSPHRASE", "REGISTRYAUTH_IMPORT_MASTER_KEY")
_SQLITE = b"SQLite format 3\0"
_BOM = b"\xef\xbb\xbf"
#: Every field of a record that says something of it, as a bundle or another store has them.
_EVERYTHING = ("kind", "tenant", "cloud", "owner", "purpose", "realm", "insecure", "labels", "needed", "disabled_at")


class Reading(Value, hidden=("candidates",)):
    """What a file held: its *form*, the principals, and what names one that is not there.

    *mode* are the permission bits of a file that holds the secrets unencrypted, None where there is no such file.
    """

    form: str
    candidates: tuple[Candidate, ...]
    skipped: tuple[Skipped, ...] = ()
    mode: int | None = None

    @property
    def others(self) -> bool:
        """Whether other users can read the secrets."""
        return os.name == "posix" and bool((self.mode or 0) & 0o077)


class Keys(Value):
    """What opens an encrypted source: *passphrase* gives a bundle's; the others are for another store.

    Its key comes from where its own header says. *environ* may hold ``REGISTRYAUTH_IMPORT_PASSPHRASE`` and
    ``REGISTRYAUTH_IMPORT_MASTER_KEY``, which stand for the variables without IMPORT; *ask* asks a person.
    """

    passphrase: Callable[[], str]
    key_file: str = ""
    environ: Mapping[str, str] = os.environ
    ask: Ask | None = None

    def elsewhere(self) -> dict[str, str]:
        """The environment in which another store is opened."""
        own = {name.replace("_IMPORT_", "_"): value for name, value in self.environ.items() if name in _FOR_IMPORT}
        return {**self.environ, **own}


def read(path: str, rules: Rules, keys: Keys, *, form: str = "auto", helpers: Helpers | None = None) -> Reading:
    """The principals in the file *path*, or on standard input for `-`; *form* is one of `FORMS`.

    Raise `ConfigurationError` for a file that cannot be read, is longer than `MAX_FILE` or has faults, all of which it names,
    and none of whose content; what opening a store or a bundle raises; and `SourceFailed` for a broken helper.
    """
    what = "standard input" if path == STDIN else printable(path)
    data, mode = _read(path, what)
    form = _form_of(path, data, what) if form == "auto" else form
    if form == "registryauth":
        return Reading(form, tuple(_whole(record, rules) for record in _other_store(path, keys)))
    if len(data) > MAX_FILE:
        raise ConfigurationError(f"{what} is larger than the {MAX_FILE} bytes allowed", file=what, hint="split it")
    if form == "bundle":
        return Reading(form, tuple(_whole(record, rules) for record in read_bundle(data, keys.passphrase(), what)))
    if form in ("docker", "containers"):
        found, skipped = read_docker(data, what, rules, helpers or Helpers(), containers=form == "containers", limit=MAX_FILE)
        return Reading(form, tuple(found), tuple(skipped), mode)
    if form == "azureml":
        found, skipped = read_azureml(data.removeprefix(_BOM), what, rules)
        return Reading(form, tuple(found), tuple(skipped), mode)
    text = _text(data, what)
    return Reading(form, tuple(read_csv(text, what, rules) if form == "csv" else read_toml(text, what, rules)), (), mode)


def _read(path: str, what: str) -> tuple[bytes, int | None]:
    """At most `MAX_FILE` bytes and one, and the permission bits of the file, None for a pipe."""
    if path == STDIN:
        return sys.stdin.buffer.read(MAX_FILE + 1), None
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            return file.read(MAX_FILE + 1), stat.S_IMODE(mode) if stat.S_ISREG(mode) else None
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "that is no path"
        raise ConfigurationError(f"{what} cannot be read: {reason}", file=what, hint="check the path, and who may read it") from None


def _form_of(path: str, data: bytes, what: str) -> str:
    """The form, by the first bytes where they are unmistakable, else by the file's name."""
    name = os.path.basename(path).lower()
    head = data[:65536].removeprefix(_BOM)
    if data.startswith(_SQLITE):
        return "registryauth"
    if data.startswith(MAGIC):
        return "bundle"
    if looks_like_azureml(head):
        return "azureml"
    if head.lstrip().startswith(b"{"):
        return "containers" if name == "auth.json" else "docker"
    if name.endswith(".toml") or re.search(rb"^\s*\[\[\s*principal\s*\]\]", head, re.MULTILINE):
        return "toml"
    if name.endswith(".csv") or re.match(rb"[^\r\n]*\bregistry\b[^\r\n]*[,;\t]|[^\r\n]*[,;\t][^\r\n]*\bregistry\b", head, re.IGNORECASE):
        return "csv"
    _text(data[:65536], what, whole=False)
    raise ConfigurationError(
        f"{what} does not show what it is", file=what, hint=f"say so with --from: {', '.join(form for form in FORMS if form != 'auto')}"
    )


def _text(data: bytes, what: str, *, whole: bool = True) -> str:
    """*data* as text; its byte order mark does not count. Raise `ConfigurationError` where it is not UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigurationError(f"{what} is UTF-16", file=what, hint="save it as UTF-8; spreadsheets call that 'CSV UTF-8'")
    fault = 0
    try:
        return data.decode("utf-8-sig", "strict" if whole else "ignore")
    except UnicodeDecodeError as error:
        fault = error.start
    # Raised out here: the decoder's own error holds the text.
    line = data.count(b"\n", 0, fault) + 1
    raise ConfigurationError(
        f"{what}, line {line}: that is not UTF-8", file=what, line=line,
        hint="save it as UTF-8, or convert it: iconv -f WINDOWS-1252 -t UTF-8 FILE > CONVERTED",
    )  # fmt: skip


def _other_store(path: str, keys: Keys) -> list[Principal]:
    from registryauth.stores import open_store

    if path == STDIN:
        raise ConfigurationError("a store is a file, and cannot come from standard input", hint="name the file")
    store = open_store(os.path.abspath(path), key_file=keys.key_file, environ=keys.elsewhere(), ask=keys.ask)
    try:
        records = store.list()
    except Error as error:
        hint = f"{error.hint}; --key-file names the key file of a store that came from elsewhere"
        raise type(error)(error.message, hint=hint) from error
    finally:
        store.close()
    if len(records) > MAX_PRINCIPALS:
        raise StoreUnavailable(f"{printable(path)} holds more than {MAX_PRINCIPALS} principals", hint="export a bundle of some of them")
    return records


def _whole(record: Principal, rules: Rules) -> Candidate:
    """A record that another store kept: all of it, but for its revision there."""
    principal = record.replace(revision=0, made_by=rules.made_by or record.made_by)
    return Candidate(printable(str(record.key), 120), principal, tuple(name for name in _EVERYTHING if getattr(record, name)), kept=True)
