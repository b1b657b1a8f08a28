"""Words for what ``probes/disk.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase, size


def _disk(value: Mapping[str, Any]) -> str:
    return f"{size(value['free_bytes'])} free at {value.get('free_bytes_path')}"


PHRASES: dict[str, Phrase] = {
    "disk.space.free_bytes": _disk,
}
NAMED = {
    "disk.space.free_bytes": "the free space, the least of all places that the agent writes to,",
    "disk.space.free_inodes": "the number of free inodes, the least of all places that the agent writes to,",
}
