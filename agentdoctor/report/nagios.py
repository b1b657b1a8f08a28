"""The report as the output of a monitoring plugin: Nagios, Icinga, Naemon, Sensu.

One line with the state and the numbers, then lines for who opens it. Our exit codes are theirs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from agentdoctor.model import Finding, Outcome, Role, Severity, State
from agentdoctor.report import Run, fill, headline, steps
from agentdoctor.scrub import cut, line

FIRST_LIMIT = 1024  # bytes; what old NRPE takes in all
LIMIT = 4096  # bytes; what Nagios reads by default
_DETAIL_LIMIT = 300
_WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
# A bar begins the numbers. The others are obeyed by what shows or sends the text: HTML pages, notification commands.
_MARKS = re.compile(r"[|<>`$]")


def render(run: Run) -> str:
    """ASCII, at most 4 KB. Commands are left out: escaped they could not be pasted."""
    return _bounded([_first_line(run), *_details(run)])


def unknown(text: str) -> str:
    """What is said instead of a report, where there is none."""
    return cut(f"AGENTDOCTOR UNKNOWN - {plain(text)}", FIRST_LIMIT - 1) + "\n"


def plain(text: str) -> str:
    """One line of ASCII that nothing behind the plugin obeys."""
    ascii_ = line(text).encode("ascii", "backslashreplace").decode("ascii")
    return _MARKS.sub(lambda match: f"\\x{ord(match[0]):02x}", ascii_)


def _first_line(run: Run) -> str:
    said = headline(run)
    if run.exit_code == 3 and run.active:  # the headline then speaks of what is below the bar
        said = f"not everything is known; {said}"
    numbers = " ".join(_numbers(run))
    head = f"AGENTDOCTOR {_WORDS[run.exit_code]} - {plain(said)}"
    return f"{cut(head, FIRST_LIMIT - len(numbers) - 4)} | {numbers}"


def _numbers(run: Run) -> Iterator[str]:
    """Performance data: 'label'=value[unit];warn;crit;min;max, with no thresholds of our own."""
    active = Counter(finding.severity for finding in run.active)
    outcomes = Counter(check.outcome for check in run.checks)
    yield from (f"{severity.value}={active[severity]};;;0" for severity in Severity)
    yield f"quiet={sum(finding.state is State.QUIET for finding in run.findings)};;;0"
    dark = outcomes[Outcome.UNKNOWN] + outcomes[Outcome.ERROR]
    counts = {"passed": outcomes[Outcome.PASS], "skipped": outcomes[Outcome.SKIP], "unknown": dark}
    yield from (f"{name}={count};;;0;{len(run.checks)}" for name, count in counts.items())
    yield f"time={run.duration_ms / 1000:.3f}s;;;0"


def _details(run: Run) -> list[str]:
    rows = [row for finding in run.findings for row in _finding(finding, run)]
    rows += [f"[UNKNOWN] {problem}" for problem in run.problems]
    dark = (check for check in run.checks if check.outcome in (Outcome.UNKNOWN, Outcome.ERROR))
    rows += [f"[UNKNOWN] {check.id}: {check.reason}" for check in dark]
    rows += [f"[note] {note}" for note in run.notes]
    return [cut(plain(row), _DETAIL_LIMIT) for row in rows]


def _finding(finding: Finding, run: Run) -> Iterator[str]:
    rule = finding.rule
    if finding.state not in (State.ACTIVE, State.QUIET):
        return
    word = finding.severity.value.upper() if finding.state is State.ACTIVE else "QUIET"
    yield f"[{word}] {rule.id}: {fill(rule.title, finding, run.host)} ({finding.verdict.value})"
    yield f"why: {fill(rule.cause, finding, run.host)}"
    yield from (f'seen: "{proof.text}"' for proof in finding.evidence if proof.role is Role.SYMPTOM)
    for number, step in enumerate(steps(finding, run.host), 1):
        yield f"fix {number}: {fill(step.text, finding, run.host)} ({step.where})"
    yield f"more: agentdoctor explain {rule.id}"


def _bounded(rows: Sequence[str]) -> str:
    """As many lines as there is room for, and how many there was none for."""
    text = ""
    for number, row in enumerate(rows):
        more = f"and {len(rows) - number} more lines: --format text has them all\n"
        if len(text) + len(row) + 1 + len(more) > LIMIT:
            return text + more
        text += row + "\n"
    return text
