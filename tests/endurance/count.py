"""Counts, against what was really written, what the service saw and what arrived at the topic.

``python tests/endurance/count.py [--lines N] [--kills N] [--seed N]``: a log of so many lines is written and rolled in
every way at random, while the service is killed at random and started again. Exit code 0 when nothing was lost and
nothing opened twice. Lines that were taken again after a kill are counted; that is at least once.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(TOP / "tests"), str(TOP)]

from service.stand import Stand, environment, server, subscribed, wait_for  # noqa: E402

MARKS = 30  # failures of their own; a host may tell ten at once, the rest is counted in a digest
RULE = """
title: A mark
severity: critical
area: site
agents: [1.x]
subject: mark
signature:
  any: ['a mark of number (?P<mark>m[0-9]{1,9})\\b']
cause: Somebody set a mark.
remediation: [{text: None, where: instance}]
recovery: {any: ['the marks are over']}
docs: https://wiki.example.com/marks
samples:
  - {agent: 1.8.1, text: '2026-11-22T21:01:09 ERROR [codedeploy-agent(26)]: a mark of number m7'}
  - {agent: 1.8.1, match: false, text: '2026-11-22T21:01:09 ERROR [codedeploy-agent(26)]: a mark of letter m7'}
"""


class Writer(threading.Thread):
    """Writes numbered lines and a few marks, and rolls the log: by renaming, or by copying and truncating."""

    def __init__(self, log: Path, lines: int, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.log, self.lines, self.chance = log, lines, chance
        self.rolls: Counter[str] = Counter()
        self.marked = 0

    def run(self) -> None:
        file = self.log.open("ab")
        every = self.lines // MARKS
        for number in range(self.lines):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S")
            if number % every == every // 2 and self.marked < MARKS:
                file.write(f"{stamp} ERROR [codedeploy-agent(26)]: a mark of number m{number}\n".encode())
                self.marked += 1
            file.write(f"{stamp} INFO  [codedeploy-agent(26)]: a line of number {number}\n".encode())
            if number % 200 == 0:
                file.flush()
                time.sleep(0.001)
            if self.chance.random() < 40 / self.lines:
                file.flush()
                file = self._rolled(file)
        file.close()

    def _rolled(self, file):  # type: ignore[no-untyped-def]
        number = sum(self.rolls.values())
        old = self.log.with_name(f"codedeploy-agent.{20260101 + number}.log")
        if self.chance.random() < 0.5:
            self.rolls["renamed"] += 1
            file.close()
            self.log.rename(old)
            return self.log.open("ab")
        self.rolls["copied and truncated"] += 1
        copy = self.log.with_name("codedeploy-agent.log._copy_")
        shutil.copyfile(self.log, copy)
        file.truncate(0)
        copy.rename(old)
        return file


def main() -> int:
    options = _options()
    chance = random.Random(options.seed)
    folder = Path(tempfile.mkdtemp(prefix="agentdoctor-count-"))
    with server() as aws:
        topic = subscribed(aws, "count")
        stand = Stand(folder, topic)
        (folder / "rules").mkdir()
        (folder / "rules/mark-set.yaml").write_text(RULE)
        writer = Writer(stand.log_path, options.lines, chance)
        process = _start(stand, folder)
        writer.start()
        kills = 0
        while writer.is_alive():
            time.sleep(chance.uniform(0.2, 1.5))
            if kills < options.kills:
                process.send_signal(signal.SIGKILL)
                process.wait()
                process = _start(stand, folder)
                kills += 1
        wait_for(lambda: len(_seen(folder)) == options.lines, "every line to be seen", 120.0)
        wait_for(lambda: _told(stand) >= MARKS, "every mark to be told", 600.0)
        process.send_signal(signal.SIGTERM)
        process.wait()
        return _report(options, writer, kills, stand, folder)


def _start(stand: Stand, folder: Path) -> subprocess.Popen[bytes]:
    program = [sys.executable, str(Path(__file__).parent / "seeing.py"), str(folder / "agentdoctor.yaml")]
    return subprocess.Popen([*program, str(folder / "seen")], env=environment(), stderr=subprocess.DEVNULL)


def _seen(folder: Path) -> Counter[int]:
    """How often each line was taken."""
    counts: Counter[int] = Counter()
    for row in (folder / "seen").read_text().splitlines():
        try:
            counts.update(json.loads(row))
        except ValueError:  # killed within it: those lines come again
            continue
    return counts


def _told(stand: Stand) -> int:
    """Marks of which a message arrived, by itself or as a count in a digest."""
    assert stand.topic
    alone = {key for key, rule in _opened(stand) if rule == "mark-set"}
    digests = {m["MessageAttributes"]["dedup_key"]["Value"]: m for m in stand.topic.messages() if _event(m) == "digest"}
    return len(alone) + sum(_counted(json.loads(m["Message"])) for m in digests.values())


def _opened(stand: Stand) -> list[tuple[str, str]]:
    assert stand.topic
    found = [m for m in stand.topic.messages() if _event(m) == "opened"]
    return [(json.loads(m["Message"])["fingerprint"], m["MessageAttributes"]["rule"]["Value"]) for m in found]


def _event(message: dict[str, dict[str, dict[str, str]]]) -> str:
    return message["MessageAttributes"]["event"]["Value"]


def _counted(digest: dict[str, Any]) -> int:
    return int(digest["counts"].get("mark-set", {}).get("opened", 0))


def _report(options: argparse.Namespace, writer: Writer, kills: int, stand: Stand, folder: Path) -> int:
    seen, opened = _seen(folder), Counter(key for key, rule in _opened(stand) if rule == "mark-set")
    rows = {
        "lines written": options.lines,
        "lines seen": len(seen),
        "lines lost": options.lines - len(seen),
        "lines seen again after a kill": sum(seen.values()) - len(seen),
        "kills": kills,
        **{f"rolls, {name}": count for name, count in writer.rolls.items()},
        "failures written": writer.marked,
        "failures told": _told(stand),
        "messages that came twice, under one key": sum(opened.values()) - len(opened),
    }
    for name, count in rows.items():
        print(f"{name:<42}{count:>10}")
    shutil.rmtree(folder)
    return 0 if rows["lines lost"] == 0 and rows["failures told"] == MARKS else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--kills", type=int, default=20, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
