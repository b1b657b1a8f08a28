"""The pulse of the service: a small file that says that it lives and how far it is, for those who only look."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from typing import Any

from agentdoctor.files import replace

BEAT_SECONDS = 20.0
LATE_SECONDS = 60.0  # as long as the service manager waits before it restarts the service
RUNTIME = "/run/agentdoctor"
_NAME = "pulse.json"


class Pulse:
    """Writes the file: in the runtime directory of the unit, which is memory, else in the state directory."""

    def __init__(self, state_dir: str) -> None:
        self._path = os.path.join(_folder(state_dir), _NAME)
        self._known = {"pid": os.getpid(), "started_at": time.time(), "state_dir": state_dir}

    def beat(self, values: Mapping[str, Any]) -> None:
        """Write what is so now. That it cannot be written is no reason to stop."""
        with contextlib.suppress(OSError):
            replace(self._path, json.dumps({**self._known, "at": time.time(), **values}) + "\n", 0o644, durable=False)

    def stop(self) -> None:
        """Take the file away: an orderly end is no death."""
        with contextlib.suppress(OSError):
            os.unlink(self._path)


def _folder(state_dir: str) -> str:
    return os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0] or state_dir


def canary(state_dir: str) -> str:
    """A directory for nothing but a file whose change proves that file events arrive."""
    folder = os.path.join(_folder(state_dir), "canary")
    with contextlib.suppress(OSError):
        os.makedirs(folder, mode=0o700, exist_ok=True)
    return folder


def feel(state_dir: str) -> dict[str, Any] | None:
    """The last pulse of the service of this state directory; None where there is none to be seen."""
    for folder in (RUNTIME, state_dir):
        try:
            with open(os.path.join(folder, _NAME), encoding="utf-8") as file:
                values = json.loads(file.read(1 << 20))
        except (OSError, ValueError):
            continue
        if isinstance(values, dict) and values.get("state_dir") == state_dir:
            return values
    return None
