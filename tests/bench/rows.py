"""What is measured: one function for each row, from commands to a ratio."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import bundles
import catalogues
import generate
import metadata
import peers
import serving
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


def lint(bench: Bench) -> list[Row]:
    """A bundle against its listing by tar, and once more for its scripts.

    Of a tar that is not packed tar reads the headers alone, which takes less time than to start Python.
    """
    rows = []
    for ending, must in ((".tgz", 3.0), (".tar", None)):
        bench.tell(f"a bundle {ending} of {bundles.FILES} files")
        path = bundles.packed(bench.folder, ending)
        warm(path)
        read = 'tar -tf "$1" >/dev/null && tar -xOf "$1" --wildcards "scripts/*" appspec.yml'
        peer = Command(("sh", "-c", read, "sh", str(path)), shows="#!/bin/bash")
        mine = ours("lint", *bench.config, str(path), shows="nothing wrong")
        name = f"lint, {bundles.FILES:,} files in a {ending} / tar -tf, then its scripts"
        rows.append(_ratio(bench, name, mine, peer, must, 1.5))
    return rows


def rest(bench: Bench) -> list[Row]:
    """Both at rest at the same time, each on a log of its own."""
    bench.tell("both at rest")
    with serving.doctor(bench.folder / "rest") as ours_, serving.fail2ban(bench.folder, bench.rules) as theirs:
        time.sleep(10.0)
        with ThreadPoolExecutor(2) as pool:
            pids = (ours_.process.pid, theirs)
            mine, peer = pool.map(lambda pid: serving.at_rest(pid, serving.REST_SECONDS), pids)
    bars = (
        ("memory", "MB", 0.65, 0.4),
        ("processor time a minute, between looks", "ms", 1.0, 0.3),
        ("wake-ups a minute", "", 0.3, 0.1),
    )
    return [
        Row(f"idle service / fail2ban-server: {name}", f"{a:.1f} {unit}", f"{b:.1f} {unit}", a / b, must, aim)
        for (name, unit, must, aim), a, b in zip(bars, mine, peer, strict=True)
    ]


def latency(bench: Bench) -> list[Row]:
    bench.tell("a line now and then")
    mine, peer = serving.latencies(bench.folder / "latency")
    a, b, p99 = median(mine), median(peer), serving.quantile(mine, 0.99)
    return [
        Row("line written -> seen, p50 / tail -F", f"{a:.2f} ms", f"{b:.2f} ms", a / b, 5.0, 3.0),
        Row("line written -> seen, p99", f"{p99:.2f} ms", "", p99, 25.0, 5.0, " ms"),
    ]


def burst(bench: Bench) -> list[Row]:
    rows = []
    for errors, must in ((0.01, 2.0), (0.2, None)):
        # of two processes that share two processors no two runs take the same time, so there are more of what must hold
        rounds = bench.rounds * (3 if must else 1)
        bench.note(f"{errors:.0%} errors in a burst: {rounds} rounds")
        runs = by_turns([lambda: serving.burst(bench.folder, bench.rules, errors)], rounds, bench.tell)  # noqa: B023
        mine, peer, memory = (median([run[0][n] for run in runs]) for n in range(3))
        name = f"burst of 150 MB, {errors:.0%} errors"
        rows.append(Row(f"{name} / tail -F and grep", f"{mine:.0f} ms", f"{peer:.0f} ms", mine / peer, must, 1.3))
        rows.append(Row(f"{name}, memory over rest", f"{memory:.1f} MB", "", memory, 10.0, 3.0, " MB"))
    return rows


def alert(bench: Bench) -> list[Row]:
    bench.tell("alerts")
    took = serving.alerts(bench.folder, bench.rules)
    p99 = serving.quantile(took, 0.99)
    half = f"p50 {median(took):.0f} ms"
    return [Row("line written -> request at the topic, p99", f"{p99:.0f} ms", half, p99, 250.0, 100.0, " ms")]


ROWS: dict[str, Callable[[Bench], list[Row]]] = {
    "scan-1": scan_1,
    "scan-20": scan_20,
    "fail2ban": fail2ban,
    "memory": memory,
    "check": check,
    "since": since,
    "rules": rules,
    "lint": lint,
    "rest": rest,
    "latency": latency,
    "burst": burst,
    "alert": alert,
}
