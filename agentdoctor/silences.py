"""Silences: rules that nobody wants to hear of for a while.

A file each in the state directory, written by a person's command and read by the service, so that neither waits for
the other.
"""

from __future__ import annotations

import json
import os
import re

from agentdoctor.files import replace
from agentdoctor.model import Silence

FOLDER = "silences"
REASON_LIMIT = 500  # characters
_NAME = re.compile(r"([a-z0-9]+(?:-[a-z0-9]+)*)\.json")


def load(state_dir: str, now: float) -> dict[str, Silence]:
    """The silences that have not ended, by rule. A file that is none does not count."""
    folder = os.path.join(state_dir, FOLDER)
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return {}
    found = (_read(os.path.join(folder, name), match[1]) for name in names if (match := _NAME.fullmatch(name)))
    return {silence.id: silence for silence in found if silence and silence.until > now}


def _read(path: str, id_: str) -> Silence | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, encoding="utf-8") as file:
            fields = json.loads(file.read(1 << 16))
        return Silence(id_, float(fields["until"]), str(fields["reason"])[:REASON_LIMIT])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def put(state_dir: str, silence: Silence) -> None:
    """Begin a silence, or change it. OSError."""
    folder = os.path.join(state_dir, FOLDER)
    os.makedirs(folder, mode=0o755, exist_ok=True)
    fields = {"id": silence.id, "until": silence.until, "reason": silence.reason}
    replace(os.path.join(folder, f"{silence.id}.json"), json.dumps(fields) + "\n", 0o644)


def end(state_dir: str, id_: str) -> bool:
    """End a silence; whether there was one. OSError."""
    try:
        os.unlink(os.path.join(state_dir, FOLDER, f"{id_}.json"))
    except FileNotFoundError:
        return False
    return True
