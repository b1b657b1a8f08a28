"""A reader that wakes by file events, in a user namespace where one limit of inotify is 0. Prints how events stand, and
the lines.

limited.py LIMIT DIRECTORY
"""

from __future__ import annotations

import sys
from pathlib import Path

from .troubles import Host


def main(limit: str, top: str) -> None:
    Path("/proc/sys/user", limit).write_text("0")
    host = Host(Path(top))
    host.waking.start()
    host.write()
    host.turn()
    host.write()
    host.turn()
    print(host.waking.state)
    print(host.reading.lines)


main(*sys.argv[1:])
