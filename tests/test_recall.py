"""How much is found: everything collected, area by area, as a table at the end of the tests."""

from __future__ import annotations

import tarfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from test_corpus import HOLDS, ids, in_state, rows, scan_tree

from agentdoctor import runs
from agentdoctor.model import Finding, Rule, Severity, State
from conftest import shared

BAR = 0.95


@dataclass
class Seen:
    """One log or tree: what had to be found in it, whether it was, and what must not have been."""

    name: str
    wanted: set[str]  # empty: nothing had to be
    found: bool
    false: set[str]
    healthy: bool = False


@dataclass
class Area:
    """A row of the table."""

    wanted: int = 0
    found: int = 0
    false: int = 0
    wrong: list[str] = field(default_factory=list)


def _loud(findings: Sequence[Finding]) -> set[str]:
    return {f.rule.id for f in findings if f.state in HOLDS and f.rule.severity is not Severity.INFO}


def _cases(rules: Sequence[Rule]) -> Iterator[Seen]:
    """What users posted, unless nobody is sure what it was."""
    for row in rows(shared("cases/expected.tsv")):
        if row["confidence"] not in ("high", "medium"):
            continue
        findings = runs.scan(rules, [str(shared(f"cases/logs/{row['case']}.log"))]).findings
        states = (*HOLDS, State.RECOVERED) if row["state"] == "either" else HOLDS
        reported = in_state(findings, *states)
        found = bool(reported & ids(row["any_of"])) and ids(row["all_of"]) <= reported
        false = in_state(findings, State.ACTIVE) & ids(row["must_not"])
        yield Seen(row["case"], ids(row["any_of"]) | ids(row["all_of"]), found, false)


def _healthy(rules: Sequence[Rule]) -> Iterator[Seen]:
    for row in rows(shared("cases/healthy.tsv")):
        findings = runs.scan(rules, [str(shared(f"cases/healthy/{row['name']}.log"))]).findings
        false = _loud(findings) | in_state(findings, *HOLDS) & ids(row["must_not"])
        yield Seen(row["name"], set(), False, false, healthy=True)


def _captures(rules: Sequence[Rule], folder: Path) -> Iterator[Seen]:
    """What the real agent wrote, unpacked below ``folder``. What is over must be told as that."""
    with tarfile.open(shared("captures.tar.gz")) as archive:
        archive.extractall(folder, filter="tar")
    for row in rows(shared("captures.tsv")):
        findings = scan_tree(folder / "captures" / row["scenario"], rules)
        over, healthy = ids(row["recovered"]), row["healthy"] == "yes"
        wanted = over or ids(row["scan_any_of"])
        reported = in_state(findings, State.RECOVERED) if over else in_state(findings, *HOLDS, State.MASKED)
        false = in_state(findings, State.ACTIVE) & (ids(row["must_not"]) | over)
        if healthy:
            false |= _loud(findings) - ids(row["may"])
        yield Seen(row["scenario"], wanted, bool(wanted & reported), false, healthy)


def by_area(seen: Sequence[Seen], areas: dict[str, str]) -> dict[str, Area]:
    """The rows of the table; what was missed counts where its first cause belongs, an alarm where its rule does."""
    table: dict[str, Area] = defaultdict(Area)
    for one in seen:
        for id_ in sorted(one.false):
            row = table[areas.get(id_, "?")]
            row.false += 1
            row.wrong.append(f"{one.name}: {id_} is false")
        if not one.wanted:
            continue
        row = table[areas.get(min(one.wanted), "?")]
        row.wanted += 1
        row.found += one.found
        if not one.found:
            row.wrong.append(f"{one.name}: none of {', '.join(sorted(one.wanted))}")
    return dict(sorted(table.items()))


def lines(table: dict[str, Area], healthy: int) -> list[str]:
    """The table as text."""
    total = Area(*(sum(getattr(row, name) for row in table.values()) for name in ("wanted", "found", "false")))
    shown = [f"{'area':<12} {'recall':>9} {'':>6} {'false alarms':>13}"]
    for name, row in [*table.items(), ("all", total)]:
        share = f"{row.found / row.wanted:.0%}" if row.wanted else "-"
        shown.append(f"{name:<12} {row.found:>4}/{row.wanted:<4} {share:>6} {row.false:>13}")
    shown.append(f"{healthy} healthy logs among them")
    return shown + [line for row in table.values() for line in row.wrong]


def test_recall(rules: tuple[Rule, ...], tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """95 of 100 failures are found in their logs, and healthy logs are silent."""
    seen = [*_cases(rules), *_healthy(rules), *_captures(rules, tmp_path)]
    areas = {row["id"]: row["area"] for row in rows(shared("catalogue.tsv"))} | {rule.id: rule.area for rule in rules}
    healthy = [one for one in seen if one.healthy]
    table = by_area(seen, areas)
    record_property("recall", lines(table, len(healthy)))

    assert not {one.name: one.false for one in healthy if one.false}
    assert sum(row.found for row in table.values()) >= BAR * sum(row.wanted for row in table.values())


def test_the_table_counts() -> None:
    """A hit, a miss, a false alarm, and a log of which nothing is wanted."""
    seen = [
        Seen("hit", {"a-one", "a-two"}, True, set()),
        Seen("miss", {"a-one"}, False, {"b-one"}),
        Seen("silent", set(), False, set(), healthy=True),
    ]
    table = by_area(seen, {"a-one": "a", "a-two": "a", "b-one": "b"})

    assert {name: (row.found, row.wanted, row.false) for name, row in table.items()} == {"a": (1, 2, 0), "b": (0, 0, 1)}
    assert lines(table, 1)[1].split() == ["a", "1/2", "50%", "0"]
