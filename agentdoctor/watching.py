"""One host, watched: logs in, judgements, what is known, what is to be told. Turn by turn; the loop is elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from agentdoctor import judging, remembering
from agentdoctor.clock import Moment
from agentdoctor.families import families
from agentdoctor.following import Follower, last_words
from agentdoctor.host import Host
from agentdoctor.journalctl import Journal
from agentdoctor.judging import Judge
from agentdoctor.life import Change
from agentdoctor.logs import TAIL, NotALog, open_log
from agentdoctor.model import Evidence, Record, Rule, Silence
from agentdoctor.probing import Prober
from agentdoctor.tailing import Family, Gap, Tailer

# Between two looks at which logs there are: while something is read, and while nothing is. A deployment that brings
# another log is told of in the agent's, and whoever moves that one starts the agent again.
FAMILIES_SECONDS, CALM_SECONDS = 5.0, 30.0
# No hook runs longer (the agent's limit for all of an event): what its log says last, nobody else will report.
HOOKS_SECONDS = 3600.0
GAPS_KEPT = 20
SILENT_SECONDS = 310.0  # without a new line, after which the host is looked at: what hangs cannot log
JOURNAL_SECONDS = 7 * 86400.0  # of the unit's journal are read at the first start


class Watch:
    """What is known about a host, and the parts that find out more.

    ``state`` is all of it as texts, for a store; a Watch that is made of it goes on where another one ended.
    """

    def __init__(
        self, host: Host, rules: Sequence[Rule], prober: Prober, state: Mapping[str, Mapping[str, str]], now: float
    ) -> None:
        self.facts: dict[str, Any] = {"first_start": now, "host": {}, "cursor": "", "hooks_until": now, "gaps": []}
        known = state.get("facts", {})
        self.facts.update({name: json.loads(known[name]) for name in self.facts if name in known})
        self.judge = Judge(rules, host, prober, self.facts["first_start"])
        self.judge.host = self.facts["host"]
        self.judge.lives = judging.recall(state.get("findings", {}), now)
        doctor = self.judge.doctor
        remembering.recall(doctor.symptoms, state.get("symptoms", {}), doctor.rules)
        self.tailer = Tailer(state.get("positions", {}))
        self.follower = Follower(self._observe, doctor.wanted, host.zone())
        self.journal = Journal(self.facts["cursor"], now - JOURNAL_SECONDS) if host.live else None
        self.families: list[Family] = []  # as they were read last
        self._found: list[Family] = []
        self._host = host
        self._families_at: float | None = None
        self._families_after = 0  # pieces that were read by then
        self._began = False
        self._observed = self._decided = 0
        self._judged = -1
        self._known: dict[str, dict[str, str]] = {}
        self._written: tuple[int, int] | None = None

    def _observe(self, record: Record) -> None:
        self._observed += 1
        self.judge.doctor.observe(record)

    @property
    def more(self) -> bool:
        """Whether there is more to read at once."""
        return self.tailer.more

    @property
    def version(self) -> tuple[int, ...]:
        """Another one after anything was read or judged."""
        return self.follower.pieces, self._observed, self._decided

    def read(self, at: Moment) -> None:
        """Read what is new, everywhere; then look which logs there are, which takes longer than to read a line."""
        first, self._began = not self._began, True
        if first:
            self._find(at.monotonic)
        self.families = self._found
        if self.journal:  # before the logs: what it tells is mostly over by what the agent logs later
            for record in self.journal.read_up() if first else self.journal.read():
                self._observe(record)
        before = self.follower.pieces
        notices = self.tailer.poll(self.families, self.follower.take, at.monotonic)
        if first or self.follower.pieces != before:
            self.judge.due = at.monotonic + SILENT_SECONDS
        self._find(at.monotonic, before)
        for gap in (notice for notice in notices if isinstance(notice, Gap)):
            self._observed += 1  # a reason to judge
            self.facts["gaps"] = [*self.facts["gaps"], {"at": at.wall, "path": gap.path, "why": gap.why}][-GAPS_KEPT:]

    def _find(self, monotonic: float, read: int = 0) -> None:
        """Which logs there are, if it is time to look again. ``read``: pieces until this turn."""
        since = FAMILIES_SECONDS if read != self._families_after else CALM_SECONDS
        if self._families_at is None or monotonic - self._families_at >= since:
            self._found = families(self._host)
            self._families_at, self._families_after = monotonic, read

    def hooks(self, now: float) -> None:
        """Take what hooks printed last, of those that must have ended long ago: who else would tell?"""
        until, since = now - HOOKS_SECONDS, self.facts["hooks_until"] - HOOKS_SECONDS
        for family in self.families:
            if family.kind == "scripts":
                record = _last_words(family.path, since, until, self._host)
                if record is not None:
                    self._observe(record)
        self.facts["hooks_until"] = now

    def wants_judgement(self, monotonic: float) -> bool:
        """Whether something was read that is not judged yet, or the host was not looked at for long."""
        return self._judged != self._observed or self.judge.wants_look(monotonic)

    def decide(self, at: Moment, own: Mapping[str, Evidence], silences: Mapping[str, Silence]) -> list[Change]:
        """Judge all that is known by now. ``own``: evidence of the service about itself."""
        self._judged = self._observed
        self._decided += 1
        kinds = {family.kind for family in self.families if os.path.exists(family.path)}
        return self.judge.judge(at, own, silences, kinds | ({"journal"} if self.journal else set()))

    def state(self) -> dict[str, dict[str, str]]:
        """All that is known, as texts by table and key. What has not changed is not written down anew."""
        version = (self._observed, self._decided)
        if version != self._written:
            self._written = version
            self._known = {
                "symptoms": remembering.texts(self.judge.doctor.symptoms),
                "findings": judging.texts(self.judge.lives),
            }
        facts = {**self.facts, "host": self.judge.host, "cursor": self.journal.cursor if self.journal else ""}
        texts = {name: json.dumps(value) for name, value in facts.items()}
        return {"positions": self.tailer.positions(), "facts": texts, **self._known}

    def close(self) -> None:
        """Let go of files and processes."""
        self.tailer.close()
        if self.journal:
            self.journal.close()


def _last_words(path: str, since: float, until: float, host: Host) -> Record | None:
    """The end of a hook's log that was last written between two times."""
    try:
        with open_log(path) as stream:
            status = os.fstat(stream.fileno())
            if not since < status.st_mtime <= until:
                return None
            stream.seek(max(0, status.st_size - TAIL))
            return last_words(stream.read(TAIL) or b"", path, host.zone())
    except (OSError, NotALog):
        return None
