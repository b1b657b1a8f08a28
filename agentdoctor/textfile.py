"""The metrics of the service in a file, for node_exporter's textfile collector."""

from __future__ import annotations

from collections.abc import Mapping

from agentdoctor.files import replace
from agentdoctor.model import Silence
from agentdoctor.report import Run, prometheus, silenced
from agentdoctor.systemd import say

MODE = 0o644  # node_exporter is another user, and metrics quote no log


class Textfile:
    """Writes the last judgement, each once. Without a path it writes nothing."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._written: Run | None = None
        self._trouble = ""

    def write(self, run: Run | None, silences: Mapping[str, Silence]) -> None:
        """Write what was judged, all of it or nothing. That it cannot is said once, and is no reason to stop."""
        if self._path is None or run is None or run is self._written:
            return
        try:
            replace(self._path, prometheus.render(silenced(run, silences)), MODE, durable=False)
        except OSError as error:
            self._complain(f"prometheus.textfile: {self._path}: {error.strerror or error}")
            return
        self._written, self._trouble = run, ""

    def _complain(self, trouble: str) -> None:
        if trouble != self._trouble:
            say(4, trouble)
        self._trouble = trouble
