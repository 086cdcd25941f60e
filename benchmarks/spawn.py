"""Runs the command in its arguments; prints its exit status, wall and CPU seconds and peak RSS in KiB as JSON.

A process of its own, because Linux counts the peak of whoever starts a process as that process's: this one is small.
"""

from __future__ import annotations

import json
import os
import sys
import time

_QUIET = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]

if __name__ == "__main__":
    start = time.perf_counter()
    process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=_QUIET)
    _, status, used = os.wait4(process, 0)
    wall = time.perf_counter() - start
    print(json.dumps([os.waitstatus_to_exitcode(status), wall, used.ru_utime + used.ru_stime, used.ru_maxrss]))
