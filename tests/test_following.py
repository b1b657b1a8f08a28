"""From pieces of a log to records: each entry once and whole, wherever blocks end."""

from __future__ import annotations

from pathlib import Path

from agentdoctor.following import Follower
from agentdoctor.model import Record
from agentdoctor.tailing import Family, Tailer

ENTRY = "2026-11-22T20:00:00 ERROR [codedeploy-agent(21)]: it failed for the %d. time\n"
MORE = f"undefined method {300 * chr(120)}\n"
ENTRIES = 2000  # of a thousand bytes: several blocks
NAME = "codedeploy-agent.log"


def follow(directory: Path, *parts: str) -> list[Record]:
    """What is observed of a log that grows by parts, with a look after each."""
    family, seen = Family("agent", str(directory), NAME), list[Record]()
    tailer, follower = Tailer({}), Follower(seen.append, tuple)
    directory.mkdir(exist_ok=True)
    (directory / NAME).touch()
    tailer.poll([family], follower.take, 0.0)
    for at, part in enumerate(parts, 1):
        with (directory / NAME).open("a") as file:
            file.write(part)
        tailer.poll([family], follower.take, float(at))
        while tailer.more:
            tailer.poll([family], follower.take, float(at))
    tailer.close()
    return seen


def test_an_entry_that_a_block_cuts_is_told_once(tmp_path: Path) -> None:
    """The rest of it comes with the next block, which is there already."""
    log = "".join(ENTRY % number + MORE * (number % 7) for number in range(ENTRIES))
    seen = follow(tmp_path, log)

    assert [record.message.count(MORE.strip()) for record in seen] == [number % 7 for number in range(ENTRIES)]
    assert [record.message.split(". time")[0] for record in seen] == [
        f"it failed for the {number}" for number in range(ENTRIES)
    ]


def test_an_entry_that_the_agent_has_not_finished_is_told_at_once_and_whole(tmp_path: Path) -> None:
    """As the same occurrence; what did not grow is told once."""
    seen = follow(tmp_path, ENTRY % 1, MORE, ENTRY % 2)

    assert [record.message.count(MORE.strip()) for record in seen] == [0, 1, 0]


def test_a_line_that_the_agent_has_begun_changes_nothing_before_it(tmp_path: Path) -> None:
    begun, rest = (ENTRY % 2)[:40], (ENTRY % 2)[40:]
    seen = follow(tmp_path, ENTRY % 1, begun, rest)

    assert [record.message for record in seen] == [f"it failed for the {number}. time" for number in (1, 2)]
    assert follow(tmp_path / "at once", ENTRY % 1 + begun, rest) == [
        record._replace(path=str(tmp_path / "at once" / NAME)) for record in seen
    ]
