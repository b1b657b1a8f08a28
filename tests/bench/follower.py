"""The service itself, which says on standard output what it has read: lines of ``NANOSECONDS OFFSET``.

``python follower.py SETTINGS VALUES``, which are what the daemon gets; not a tool for people.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from agentdoctor import daemon
from agentdoctor.following import Follower
from agentdoctor.tailing import Piece

take = Follower.take


def told(self: Follower, piece: Piece) -> int:
    """Take a piece, and tell when that was done: of a burst once, else the telling would be in the figure."""
    taken = take(self, piece)
    if piece.kind == "agent" and not piece.more:
        os.write(1, f"{time.monotonic_ns()} {piece.offset + len(piece.data)}\n".encode())
    return taken


if __name__ == "__main__":
    Follower.take = told  # type: ignore[method-assign]
    sys.exit(daemon.main(*sys.argv[1:]))
