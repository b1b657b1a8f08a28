"""The service itself, which writes down the numbers of the lines it took. Not a tool for people.

``python seeing.py SETTINGS FILE``
"""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from agentdoctor import daemon
from agentdoctor.following import Follower
from agentdoctor.settings import load
from agentdoctor.tailing import Piece

NUMBER = re.compile(rb"number (\d+)\n")
take = Follower.take
seen = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def told(self: Follower, piece: Piece) -> int:
    """Take a piece, and note its numbered lines before anybody can kill us."""
    taken = take(self, piece)
    numbers = [int(x) for x in NUMBER.findall(piece.data, 0, taken)]
    if numbers:
        os.write(seen, json.dumps(numbers).encode() + b"\n")
    return taken


if __name__ == "__main__":
    Follower.take = told  # type: ignore[method-assign]
    sys.exit(daemon.main(sys.argv[1], json.dumps(asdict(load(sys.argv[1])))))
