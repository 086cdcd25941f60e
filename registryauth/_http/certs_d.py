"""What docker and containers were told of one host's TLS, in a directory named for it: ``certs.d/HOST[:PORT]``.

Every ``*.crt`` in it is an authority, and a ``*.cert`` with the ``*.key`` of the same name is a client certificate
(https://docs.docker.com/engine/security/certificates/, containers-certs.d(5)).
"""

from __future__ import annotations

import errno
import os

from registryauth._redact import printable
from registryauth._value import Value
from registryauth.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SYSTEM = ("/etc/containers/certs.d", "/etc/docker/certs.d")
#: Not there, not to be looked into by this account (containers passes such a one over, too), or no name that a file can have.
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG)


def usual(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Where to look, in containers' order: the user's own, the system's for containers, docker's."""
    from registryauth._paths import home_dir

    base = environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(base):
        home = home_dir(environ)
        base = os.path.join(home, ".config") if home else ""
    return (*((os.path.join(base, "containers", "certs.d"),) if base else ()), *_SYSTEM)


class HostDirectory(Value):
    """The directory *path* of one host and the *names* in it, sorted; without any where there is no such directory."""

    path: str = ""
    names: tuple[str, ...] = ()

    @property
    def authorities(self) -> tuple[str, ...]:
        """The PEM files of authorities that its certificate may come from."""
        return tuple(os.path.join(self.path, name) for name in self.names if name.endswith(".crt"))

    def client_certificate(self) -> tuple[str, str]:
        """The PEM files of the certificate that it is shown and of its key, both empty where there is none.

        Raise `ConfigurationError` for half a pair, as docker does, and for more than one: there is no telling which it wants.
        """
        certificates = {name.removesuffix(".cert") for name in self.names if name.endswith(".cert")}
        keys = {name.removesuffix(".key") for name in self.names if name.endswith(".key")}
        for stem in sorted(certificates ^ keys):
            have, lack = (".cert", ".key") if stem in certificates else (".key", ".cert")
            raise self._error(f"has {stem}{have} and no {stem}{lack}", "an authority's certificate is named *.crt there")
        if len(certificates) > 1:
            names = ", ".join(f"{stem}.cert" for stem in sorted(certificates))
            raise self._error(f"has more than one client certificate: {names}", "name the right one with client_cert and client_key")
        return next(((self._join(f"{stem}.cert"), self._join(f"{stem}.key")) for stem in certificates), ("", ""))

    def _join(self, name: str) -> str:
        return os.path.join(self.path, name)

    def _error(self, complaint: str, hint: str) -> ConfigurationError:
        return ConfigurationError(f"{printable(self.path)} {printable(complaint)}", file=self.path, hint=hint)


def look_up(netloc: str, directories: Sequence[str]) -> HostDirectory:
    """The first directory for the https host *netloc* (``host[:port]``) below *directories*."""
    # Written out, the port of https names the same server.
    names = (netloc,) if netloc.rpartition("]")[2].count(":") else (netloc, f"{netloc}:443")
    for path in (os.path.join(directory, name) for directory in directories for name in names):
        try:
            return HostDirectory(path, tuple(sorted(os.listdir(path))))
        except OSError as error:
            if error.errno not in _ABSENT:
                raise ConfigurationError(
                    f"cannot read {printable(path)}: {error.strerror}", file=path, hint="certs_d = false under [network] leaves it alone"
                ) from error
    return HostDirectory()
