"""What must be there after many deaths, counted against the lines that were written."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from agentdoctor.store import View, view
from crash.life import judge


def script(chance: random.Random, lines: int) -> str:
    """Lines of a log: findings that come, come again, get worse and go."""
    return "".join(
        f"{chance.choice(('open', 'open', 'worse', 'close', 'close'))} {chance.choice('abc')}\n" for _ in range(lines)
    )


@dataclass
class Account:
    """One directory, and what may be there twice: letters that had arrived and were not recorded when a life ended."""

    directory: Path
    unsure: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    duplicates: int = 0

    def arrived(self) -> list[str]:
        """What the topic got: key, kind and name of each."""
        topic = self.directory / "topic"
        return topic.read_text().splitlines() if topic.exists() else []

    def died(self, before: int) -> None:
        """Take the time of a death. ``before``: how many letters had arrived when that life began."""
        self.kills += 1
        new = [line.split()[0] for line in self.arrived()[before:]]
        if new:
            seen = view(self.directory / "state")
            assert isinstance(seen, View), seen
            recorded = {row.letter.key for row in seen.letters if row.status == "sent"}
            self.unsure.update(set(new) - recorded)

    def check(self) -> None:
        """Nothing lost, nothing opened twice, each finding in order, twice only what was not recorded."""
        seen = view(self.directory / "state")
        assert isinstance(seen, View), seen
        log, findings, expected, offset = self.directory / "log", dict[str, str](), list[str](), 0
        for line in log.read_text().splitlines(keepends=True):
            if told := judge(findings, offset, line):
                expected.append(f"{told.key} {line.strip()}")
            offset += len(line)
        arrived = Counter(self.arrived())
        first = list(dict.fromkeys(self.arrived()))

        assert seen.state["positions"] == {"log": str(offset)}
        assert seen.state["findings"] == findings, "counted twice, or not at all"
        assert set(arrived) == set(expected), "lost, opened twice, or not the same under the same key"
        for name in "abc":
            assert [x for x in first if x.endswith(name)] == [x for x in expected if x.endswith(name)], "order"
        for line, times in arrived.items():
            assert times - 1 <= self.unsure[line.split()[0]], f"{line} came twice although it was recorded"
        recorded = {row.letter.key: row.status for row in seen.letters}
        assert recorded == {line.split()[0]: "sent" for line in expected}
        assert not (self.directory / "state/state.db.bad").exists()
        self.duplicates += sum(arrived.values()) - len(arrived)
