"""When the host is looked at, in virtual time, and how soon an agent that cannot log any more is found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from test_verdicts_agent import QUIET, RULES, WELL, WORK

from agentdoctor.clock import Moment
from agentdoctor.families import families
from agentdoctor.host import Host
from agentdoctor.model import Evidence, Outcome
from agentdoctor.probes import find
from agentdoctor.tailing import Family
from agentdoctor.watching import Watch

LOG = "var/log/aws/codedeploy-agent/codedeploy-agent.log"
POLL = "2026-11-25T12:00:00 INFO  [codedeploy-agent(820)]: Version file found in /opt/codedeploy-agent/.version\n"
START = 1_800_000_000.0
HANGS: dict[str, Mapping[str, Any]] = {**WELL, "process.work": {**WORK, "connections": 0}}


class Looks:
    """Stands for the process that looks: what it sees, and when it was asked to look."""

    def __init__(self) -> None:
        self.now = self.written = 0.0
        self.at: list[float] = []

    def look(self, _: Iterable[str]) -> None:
        self.at.append(self.now)

    def ask(self, name: str, _: Mapping[str, str] | None = None) -> Evidence:
        values = dict(HANGS.get(name, {}))
        if name == "log.activity":
            values = {**QUIET, "quiet_seconds": self.now - self.written}
        if not values:
            return Evidence(name, find(name).source, None, "not on this host", Outcome.SKIP)
        return Evidence(name, find(name).source, values)


def lived(folder: Path, lines: Iterable[float], seconds: int) -> tuple[Looks, list[tuple[float, str]]]:
    """A service's turns, one each second, while the agent logs at these seconds; its looks, and what it told."""
    log = folder / LOG
    log.parent.mkdir(parents=True)
    log.write_text("")
    looks, told, due = Looks(), [], set(lines)
    watch = Watch(Host.at(str(folder)), [RULES["agent-silent"]], looks, {}, START)  # type: ignore[arg-type]
    for second in range(seconds):
        looks.now = float(second)
        if second in due:
            looks.written = looks.now
            with log.open("a") as file:
                file.write(POLL)
        at = Moment(START + second, START + second, looks.now)
        watch.read(at)
        if watch.wants_judgement(at.monotonic):
            told += [(looks.now, change.event) for change in watch.decide(at, {}, {})]
    watch.close()
    return looks, told


def test_an_agent_that_polls_is_looked_at_each_five_minutes(tmp_path: Path) -> None:
    looks, told = lived(tmp_path, range(0, 1250, 45), 1250)

    assert looks.at == [0.0, 300.0, 600.0, 900.0, 1200.0]
    assert told == []


def test_a_line_is_read_before_other_logs_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To look for them takes longer. What is found is read at the next look, and counts from then on."""
    log, hook = tmp_path / LOG, tmp_path / "opt/codedeploy-agent/deployment-root/group/d-1/logs/scripts.log"
    for path in (log, hook):
        path.parent.mkdir(parents=True)
    watch = Watch(Host.at(str(tmp_path)), [], Looks(), {}, START)  # type: ignore[arg-type]
    read_by_then: list[int] = []

    def look(host: Host) -> list[Family]:
        read_by_then.append(watch.follower.pieces)
        return [family for family in families(host) if family.kind == "agent" or hook.exists()]

    monkeypatch.setattr("agentdoctor.watching.families", look)
    for second in (0, 40, 41):
        at = Moment(START + second, START + second, float(second))
        with log.open("a") as file:
            file.write(POLL)
        watch.read(at)
        assert (str(hook.parent) in [family.directory for family in watch.families]) == (second == 41)
        hook.write_text(POLL)

    assert read_by_then == [0, 2]
    assert str(hook) in watch.tailer.lag()
    watch.close()


@pytest.mark.parametrize("last", [1, 5, 250, 299])
def test_r20_silence_is_found_within_ten_minutes(last: int, tmp_path: Path) -> None:
    """Wherever between two looks the agent falls silent."""
    looks, told = lived(tmp_path, [0, last], last + 600)

    assert [event for _, event in told] == ["opened"]
    assert any(310.0 <= at - last <= 312.0 for at in looks.at), "as soon as it can be known"
