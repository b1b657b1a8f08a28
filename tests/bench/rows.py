"""What is measured: one function for each row, from commands to a ratio."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import catalogues
import generate
import metadata
import peers
import trees
from generate import MB, Plan
from measure import Command, by_turns, median, ours, peak_mb, seconds, warm

from agentdoctor.model import Rule

LIMITS = ("--regex-size-limit", "4G", "--dfa-size-limit", "4G")  # rg's own are too small for all patterns at once
FOUND = "     since  "  # of a finding; a scan of these logs that finds nothing has not looked
FEW, MANY = 20, 1000


@dataclass(frozen=True)
class Bench:
    """What every row needs. ``size``: MB of the logs to scan."""

    folder: Path
    rules: Sequence[Rule]
    config: tuple[str, ...]
    rounds: int
    size: int
    tell: Callable[[str], None]
    note: Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """One line of the table. ``must`` and ``aim`` bound ``ratio`` from above, or from below where more is better."""

    name: str
    ours: str
    peer: str
    ratio: float | None
    must: float | None = None
    aim: float | None = None
    unit: str = "x"
    more_is_better: bool = False

    def meets(self, bar: float) -> bool:
        assert self.ratio is not None
        return self.ratio >= bar if self.more_is_better else self.ratio <= bar


def _ratio(bench: Bench, name: str, mine: Command, peer: Command, must: float | None, aim: float | None) -> Row:
    runs = by_turns([lambda: seconds(mine), lambda: seconds(peer)], bench.rounds, bench.tell)
    return Row(
        name,
        _ms(median([a for a, _ in runs])),
        _ms(median([b for _, b in runs])),
        median([a / b for a, b in runs]),
        must,
        aim,
    )


def _ms(value: float) -> str:
    return f"{value * 1000:.0f} ms"


def _log(bench: Bench, size: int, errors: float) -> Path:
    bench.tell(f"a log of {size} MB")
    path = generate.agent_log(bench.folder, Plan(size * MB or 1, errors), bench.rules)
    warm(path)
    return path


def _scan(bench: Bench, path: Path, *more: str) -> Command:
    shows = FOUND if path.stat().st_size > MB else "checks"
    return ours("scan", *bench.config, *more, str(path), shows=shows)


def _against_ripgrep(bench: Bench, errors: float, must: float, aim: float) -> list[Row]:
    rg = peers.find("rg")
    patterns, refused = peers.for_ripgrep(bench.rules, bench.folder)
    for pattern in refused:
        bench.note(f"rg searches without a pattern that its engine refuses: {pattern}")
    log = _log(bench, bench.size, errors)
    peer = Command((rg, *LIMITS, "-a", "-N", "-c", "-f", str(patterns), str(log)))
    name = f"scan {bench.size} MB, {errors:.0%} errors / rg -f"
    return [_ratio(bench, name, _scan(bench, log), peer, must, aim)]


def scan_1(bench: Bench) -> list[Row]:
    return _against_ripgrep(bench, 0.01, 1.3, 1.0)


def scan_20(bench: Bench) -> list[Row]:
    return _against_ripgrep(bench, 0.2, 2.0, 1.4)


def fail2ban(bench: Bench) -> list[Row]:
    """MB/s, the time to start subtracted on both sides; the peer reads a slice, for it would need minutes."""
    tool, filter_ = peers.find("fail2ban-regex"), peers.for_fail2ban(bench.rules, bench.folder)
    log, slice_, nothing = (_log(bench, size, 0.01) for size in (bench.size, 2, 0))
    works = [
        lambda: seconds(_scan(bench, log)) - seconds(_scan(bench, nothing)),
        lambda: _fail2ban(tool, slice_, filter_) - _fail2ban(tool, nothing, filter_),
    ]
    rates = [(bench.size / a, 2 / b) for a, b in by_turns(works, bench.rounds, bench.tell)]
    mine, peer = median([a for a, _ in rates]), median([b for _, b in rates])
    ratio = median([a / b for a, b in rates])
    return [Row("scan, 1% errors / fail2ban-regex", f"{mine:.0f} MB/s", f"{peer:.1f} MB/s", ratio, 100, 200, "x", True)]


def _fail2ban(tool: str, log: Path, filter_: Path) -> float:
    return seconds(Command((tool, str(log), str(filter_)), shows="Failregex"))


def memory(bench: Bench) -> list[Row]:
    rows = []
    for size in (16, 64, 256):
        log = _log(bench, size, 0.2)
        peak = max(peak_mb(_scan(bench, log)) for _ in range(2))
        rows.append(Row(f"peak memory, scan {size} MB, 20% errors", f"{peak:.1f} MB", "", peak, 30, 20, " MB"))
    return rows


def check(bench: Bench) -> list[Row]:
    """Probes have answered already; then the same with living ones, which no bar is set for."""
    rows: list[Row] = []
    tree = trees.three_logs(bench.folder, bench.rules)
    mine = ours("check", *bench.config, "--root", str(tree), shows=FOUND)
    for tool, must, aim in (("fail2ban-client", 4.0, 2.0), ("aws", 0.5, 0.25)):
        try:
            peer = Command((peers.find(tool), "--version"))
            rows.append(_ratio(bench, f"check, 3 logs of 2 MB / {tool} --version", mine, peer, must, aim))
        except peers.Absent as absent:
            bench.note(str(absent))
            rows.append(Row(f"check, 3 logs of 2 MB / {tool} --version", "", "", None, must, aim))
    with metadata.service() as endpoint:
        config = catalogues.settings(bench.folder, "live", imds={"endpoint": endpoint})
        live = ours("check", "--config", str(config), shows="checks")
        rows.append(_ratio(bench, "check, this host / check, 3 logs of 2 MB", live, mine, None, None))
    return rows


def since(bench: Bench) -> list[Row]:
    six = trees.three_logs(bench.folder, bench.rules)
    tree, end = trees.eight_days(bench.folder, bench.rules)
    age = 3600 + int(time.time() - end)
    recent = ours("check", *bench.config, "--root", str(tree), "--since", f"{age}s", shows=FOUND)
    whole = ours("check", *bench.config, "--root", str(six), shows=FOUND)
    return [_ratio(bench, "check --since 1h, 8 x 64 MB / 3 x 2 MB", recent, whole, 2.0, 1.4)]


def rules(bench: Bench) -> list[Row]:
    """The scan with the time to start subtracted has the bar; what loading costs stands beside it."""
    shipped = [rule for rule in bench.rules if rule.signature][:FEW]
    only = [word for rule in shipped for word in ("--only", rule.id)]
    directory = catalogues.grown(bench.folder, bench.rules, MANY)
    config = ("--config", str(catalogues.settings(bench.folder, "many", rules_dir=str(directory))))
    few, many = bench, replace(bench, config=config)
    rows = []
    for errors in (0.01, 0.2):
        log, nothing = _log(bench, min(bench.size, 128), errors), _log(bench, 0, 0.0)
        sizes = [
            _timed(_scan(few, log, *only)),
            _timed(_scan(many, log)),
            _timed(_scan(few, nothing, *only)),
            _timed(_scan(many, nothing)),
        ]
        runs = by_turns(sizes, bench.rounds, bench.tell)
        pairs = [(b - d, a - c) for a, b, c, d in runs]
        rows.append(_pair(f"{FEW} -> {MANY} rules, scan, {errors:.0%} errors", pairs, 1.5, 1.2))
    rows.append(_pair(f"{FEW} -> {MANY} rules, loading", [(d, c) for _, _, c, d in runs], None, None))
    return rows


def _timed(command: Command) -> Callable[[], float]:
    return lambda: seconds(command)


def _pair(name: str, pairs: Sequence[tuple[float, float]], must: float | None, aim: float | None) -> Row:
    mine, base = median([a for a, _ in pairs]), median([b for _, b in pairs])
    return Row(name, _ms(mine), _ms(base), median([a / b for a, b in pairs]), must, aim)


ROWS: dict[str, Callable[[Bench], list[Row]]] = {
    "scan-1": scan_1,
    "scan-20": scan_20,
    "fail2ban": fail2ban,
    "memory": memory,
    "check": check,
    "since": since,
    "rules": rules,
}
