"""``python -m registryauth`` and the ``registryauth`` command."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; the exit status."""
    import gc

    from registryauth.cli import run

    status = run(sys.argv[1:])
    # The interpreter sweeps once more at its end, a tenth of a short command; what is frozen it leaves alone.
    gc.freeze()
    return status


if __name__ == "__main__":
    sys.exit(main())
