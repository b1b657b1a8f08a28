"""A service whose disk has no room for a while: ``python -m crash.full DIRECTORY HOW WHEN`` prints what it saw.

HOW: space (the file system of the directory is small, and becomes full) or limit (no file may grow: another error).
WHEN: first (before there is a database) or later.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

from posting import START, Clock, letter

from agentdoctor.outbox import Answer
from agentdoctor.store import Store

TURNS, TURN_SECONDS = 40, 600.0


@contextlib.contextmanager
def full(directory: Path, how: str) -> Iterator[None]:
    """No room, as long as this lasts."""
    if how == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        yield
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return
    ballast = directory / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(512))
    yield
    ballast.unlink()


class Life:
    """Turns of a service, each with a change that it tells."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.clock = directory, Clock()
        self.told: list[str] = []
        self.saved = self.turns = 0

    def open(self) -> Store:
        """The store, as of now."""
        return Store.open(self.directory / "state", self.clock, lambda: 0.0)

    def turn(self, store: Store) -> None:
        """Ten minutes."""
        self.clock.now += TURN_SECONDS
        self.turns += 1
        news = letter(f"k{self.turns}", "escalated", "a", self.clock.now, body="x" * 3000)
        self.saved += store.save({"findings": {"a": str(self.turns)}}, [news])
        for row in store.to_send():
            self.told.append(row.letter.key)
            store.answered([Answer(row.letter.key, "id")])


def main(directory: Path, how: str, when: str) -> dict[str, object]:
    life = Life(directory)
    if when == "later":
        store = life.open()
        life.turn(store)
    with full(directory, how):
        if when == "first":
            store = life.open()
        for _ in range(TURNS):
            life.turn(store)
        trouble, saved = store.trouble, life.saved
    life.turn(store)
    store.save({})
    store.close()
    again = life.open()
    again.close()
    return {
        "why": trouble.why if trouble else None,
        "since": (trouble.since - START) / TURN_SECONDS if trouble else None,
        "saved in trouble": saved - (when == "later"),
        "durable at last": store.trouble is None,
        "turns": life.turns,
        "told": life.told,
        "findings": again.state["findings"],
        "sent": [row.letter.key for row in again.outbox.ledger.rows.values() if row.status == "sent"],
        "notices": again.notices,
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])))
