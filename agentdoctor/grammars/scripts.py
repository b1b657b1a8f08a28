"""A deployment's scripts.log: ``STAMP LifecycleEvent - X``, ``STAMP Script - y``, ``STAMP [stdout]text``.

What hooks print proves nothing about how they ended, so this log gives the context of a failure and no record of
its own: a rule that wants hook output finds the last lines of it in the agent's report.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agentdoctor.grammars import Grammar, Source
from agentdoctor.model import Record

START = re.compile(rb"\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?:LifecycleEvent - |Script - |\[stdout\]|\[stderr\])")
_NOTHING = re.compile(rb"(?!)")


def parse(first: bytes, rest: Sequence[bytes], source: Source, offset: int) -> Record | None:
    """Never a record."""
    return None


GRAMMAR = Grammar("scripts", _NOTHING, START, parse)
