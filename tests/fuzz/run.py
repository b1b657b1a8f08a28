"""Fuzzing by coverage: grammars, the decoder of reports, and the meanings of what they read. See ``make fuzz``.

Arguments are libFuzzer's: the folder of the corpus first, or one file, to repeat what it did.
The first byte of an input says who reads the rest.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import atheris

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1])]

with atheris.instrument_imports(include=["agentdoctor"]):
    from hostile import CORPUS, MUTATIONS, TEXT_LIMIT, scan

    from agentdoctor import meanings, rules
    from agentdoctor.grammars import agent, deployment, every_entry, journal, plain, report, scripts, update

BY_GATE = [module.GRAMMAR for module in (agent, deployment, scripts, update, journal, plain)]
GRAMMARS = [None, *BY_GATE, *(every_entry(grammar) for grammar in BY_GATE)]
_index = cache(meanings.Index)


def _same_index(patterns: Iterable[str]) -> meanings.Index:
    """Every input has a Doctor of its own; its index of all patterns is most of the work, and never changes."""
    return _index(tuple(patterns))


meanings.Index = _same_index  # type: ignore[assignment, misc]
PIECE = 2000  # bytes of a real log in one seed


def one_input(data: bytes) -> None:
    """Raises for what must not happen; libFuzzer keeps the input."""
    if not data:
        return
    reader, raw = data[0] % (len(GRAMMARS) + 1), data[1:]
    if reader < len(GRAMMARS):
        scan(raw, GRAMMARS[reader])
        return
    found = report.decode(raw.decode("utf-8", "backslashreplace"))
    assert found is None or len(found.message) + len(found.log) <= TEXT_LIMIT


def mutate(data: bytes, limit: int, number: int) -> bytes:
    """Bytes as libFuzzer changes them; every fourth time what happens to real logs, which it would not guess."""
    chance = random.Random(number)
    if not data or chance.randrange(4):
        return bytes(atheris.Mutate(data, limit))
    name = chance.choice(sorted(MUTATIONS))
    changed = MUTATIONS[name](data[1:], chance.randrange(len(data)), chance.randrange(6000))
    return (data[:1] + changed)[:limit]


def seed(folder: Path) -> None:
    """Fill an empty corpus with pieces of real logs and every rule's samples. A file is an input to repeat."""
    if folder.is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        return
    for number, path in enumerate(sorted(CORPUS.rglob("*.log*"))):
        log = path.read_bytes()
        for at in range(0, len(log), PIECE):
            (folder / f"{number}-{at}").write_bytes(b"\0" + log[at : at + PIECE])
    readers = {grammar.log: bytes([number]) for number, grammar in enumerate(GRAMMARS) if grammar}
    for rule in rules.from_sources():
        for number, sample in enumerate(rule.samples):
            (folder / f"{rule.id}-{number}").write_bytes(readers[sample.log] + sample.text.encode())


if __name__ == "__main__":
    seed(Path(sys.argv[1]))
    atheris.Setup(sys.argv, one_input, custom_mutator=mutate)
    atheris.Fuzz()
