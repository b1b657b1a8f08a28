"""The numbers that scan and check must hold, measured here and now against tools of the distribution.

``python tests/bench/run.py [ROW...] [--rounds N] [--size MB] [--rules DIR] [--data DIR]``. Ratios are medians over
rounds in which both sides run by turns; absolute times are those of this machine. Exit code: 0 all that must hold
holds, 1 something does not, 3 a peer is absent, so something was not measured.
"""

from __future__ import annotations

import argparse
import compileall
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import catalogues
import peers
from measure import cores
from rows import ROWS, Bench, Row

from agentdoctor import rules as catalogue

HELD, MISSED, NOT_MEASURED = 0, 1, 3


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the rows that are asked for, print the table, return the exit code."""
    options = _options(argv)
    compileall.compile_dir(Path(catalogue.__file__).parent.parent, quiet=1)  # as an installed package is
    site = (options.rules or options.data / "no-rules").resolve()  # not what this machine has in /etc
    config = catalogues.settings(options.data, "plain", rules_dir=str(site))
    notes: list[str] = []
    bench = Bench(
        folder=options.data.resolve(),
        rules=catalogue.load(str(site), samples=True).rules,
        config=("--config", str(config.resolve())),
        rounds=options.rounds,
        size=options.size,
        tell=_tell,
        note=notes.append,
    )
    _print(["row", "ours", "peer", "ratio", "must", "aim", ""])
    results = [row for name in options.rows or ROWS for row in _measure(name, bench)]
    for note in dict.fromkeys(notes):
        print(f"note: {note}")
    print(f"{len(bench.rules)} rules, {bench.rounds} rounds, Python {platform.python_version()}, {cores()} cores")
    return exit_code(results)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", metavar="ROW", nargs="*", help=f"{', '.join(ROWS)} (all)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="how often each side runs (5)")
    parser.add_argument("--size", type=int, default=256, metavar="MB", help="of the logs to scan (256)")
    parser.add_argument("--rules", type=Path, metavar="DIR", help="rules to add to the shipped ones")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", default=Path(__file__).parent / ".data", help="where logs are kept"
    )
    options = parser.parse_args(argv)
    for name in options.rows:
        if name not in ROWS:
            parser.error(f"there is no row {name!r}; there are {', '.join(ROWS)}")
    if options.rounds < 1 or options.size < 1:
        parser.error("--rounds and --size are 1 or more")
    return options


def _measure(name: str, bench: Bench) -> list[Row]:
    """The lines of one row, printed as they come."""
    try:
        rows = ROWS[name](bench)
    except peers.Absent as absent:
        bench.note(str(absent))
        rows = [Row(name, "", "", None, must=0.0)]
    _tell("")
    for row in rows:
        _print(cells(row))
    return rows


def cells(row: Row) -> list[str]:
    """A row as texts for the table."""
    ratio = "" if row.ratio is None else f"{row.ratio:.3g}{row.unit}"
    bars = ["" if bar is None or row.ratio is None else f"{bar:g}{row.unit}" for bar in (row.must, row.aim)]
    return [row.name, row.ours, row.peer, ratio, *bars, verdict(row)]


def verdict(row: Row) -> str:
    """What the bar makes of a row; nothing where there is no bar."""
    if row.ratio is None:
        return "not measured"
    if row.must is None:
        return ""
    return "holds" if row.meets(row.must) else "MISSED"


def exit_code(rows: Sequence[Row]) -> int:
    """The worst of all rows: a miss counts more than what could not be measured."""
    verdicts = {verdict(row) for row in rows}
    return MISSED if "MISSED" in verdicts else NOT_MEASURED if "not measured" in verdicts else HELD


def _print(texts: Sequence[str]) -> None:
    name, *others, last = texts
    print(f"{name:<48}" + "".join(f"{text:>11}" for text in others) + f"  {last}".rstrip(), flush=True)


def _tell(text: str) -> None:
    """Progress, where somebody watches."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
