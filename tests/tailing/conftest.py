"""How much the tests of tailing do: a little by default, the promised numbers with AGENTDOCTOR_LONG."""

from __future__ import annotations

import os

LONG = bool(os.environ.get("AGENTDOCTOR_LONG"))


def times(few: int, promised: int) -> int:
    """How often to repeat something."""
    return promised if LONG else few
