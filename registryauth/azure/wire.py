"""The two ways to the wire: far, to Azure's services, through whatever proxy is configured; and near, to this machine's own."""

from __future__ import annotations

from registryauth._http import open_transport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from registryauth._http.messages import Transport

#: Seconds in which a machine's own service accepts a connection; where there is none, nobody should wait for it.
_NEAR_TIMEOUT = 1.0


class Wire:
    """*far* and *near*; close it after use."""

    def __init__(self, far: Transport, near: Transport) -> None:
        self.far = far
        self.near = near

    def close(self) -> None:
        """Close every connection."""
        self.far.close()
        self.near.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_wire(environ: Mapping[str, str], ca_files: Mapping[str, str] | None = None) -> Wire:
    """Both ways under *environ*; *ca_files* are further authorities, by host."""
    # Without a variable there is no proxy: what is asked for there is for this machine alone (DESIGN §4.4).
    return Wire(open_transport(environ, ca_files=ca_files), open_transport({}, connect_timeout=_NEAR_TIMEOUT))
