"""The report as Markdown, for a ticket or a chat. Text of logs stays text: no link, image, HTML or mention."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agentdoctor import __version__
from agentdoctor.host import iso
from agentdoctor.model import Finding, Outcome, Proof, Role, State, Step
from agentdoctor.report import Run, command, fill, headline, risk, steps, who
from agentdoctor.report.markdown import code, fence, indented
from agentdoctor.scrub import cut, line

_TITLE_LIMIT = 200  # characters
_PROSE_LIMIT = 1000
_QUOTE_LIMIT = 300
# Words that Markdown, or what GitHub and GitLab do to it afterwards, would make something of: a mention, a reference
# and a bare address are found in escaped text too, but not in code.
_OPENING = re.compile(r"[-+=]+|\d+[.)]")  # of a list or an underlined heading
_ACTIVE = re.compile(r"[\\`*\[\]<>|~&@#$]|!\d|://|www\.|(?<!\w)_|_(?!\w)", re.IGNORECASE)


def render(run: Run) -> str:
    """A headline, a block for each finding that counts, and what is over, unknown or unexplained."""
    told = [finding for finding in run.findings if finding.state in (State.ACTIVE, State.QUIET)]
    blocks = [*_opening(run)]
    for number, finding in enumerate(told, 1):
        blocks += _finding(number, finding, run)
    blocks += _list("Over", _over(run))
    blocks += _list("Not known", _dark(run))
    blocks += _list("Errors that no rule explains", _unexplained(run))
    return "\n\n".join(blocks) + "\n"


def said(text: str, limit: int = _PROSE_LIMIT) -> str:
    """One line of prose that means nothing but its text, whoever wrote it."""
    words = cut(line(text), limit).split()
    return " ".join(code(word) if _means(word, number == 0) else word for number, word in enumerate(words))


def _means(word: str, first: bool) -> bool:
    return bool(_ACTIVE.search(word) or (first and _OPENING.fullmatch(word)))


def quoted(text: str) -> str:
    """What a log says, as code."""
    return code(cut(line(text), _QUOTE_LIMIT) or " ")


def _opening(run: Run) -> Iterator[str]:
    host = who(run)
    yield f"**{run.status.upper()}** {said(f'{host}: {headline(run)}' if host else headline(run))}"
    yield f"agentdoctor {__version__}, {run.mode} at {iso(run.started_at)}, exit code {run.exit_code}"


def _finding(number: int, finding: Finding, run: Run) -> Iterator[str]:
    rule = finding.rule
    yield f"### {number}. {rule.id}: {said(fill(rule.title, finding, run.host), _TITLE_LIMIT)}"
    yield f"**{finding.severity.value}, {finding.verdict.value.replace('_', ' ')}**, {_since(finding)}"
    yield f"**Why:** {said(fill(rule.cause, finding, run.host))}"
    yield from _list("Seen", dict.fromkeys(_proof(proof) for proof in finding.evidence))
    if finding.siblings:
        yield f"**Or:** {', '.join(finding.siblings)}; the log says the same for these"
    yield from _list("Ruled out", [f"{other.id}: {said(other.because)}" for other in finding.ruled_out])
    if finding.state is State.QUIET:
        yield "**Now:** the host no longer shows it; nothing has proved yet that it is over"
    told = [_step(number, step, finding, run) for number, step in enumerate(steps(finding, run.host), 1)]
    yield from ("**Fix:**", *told)
    if run.mode == "check":
        yield f"**Prove:** `sudo agentdoctor verify {rule.id}`"
    yield f"**More:** `agentdoctor explain {rule.id}`, <{rule.docs}>"


def _since(finding: Finding) -> str:
    """Times in UTC: who reads a ticket may be anywhere."""
    count = f"seen {finding.count} times" if finding.count > 1 else "seen once"
    if finding.first_seen is None:
        return f"{count}, at a time that the text does not say"
    last = f", last {iso(finding.last_seen)}" if finding.last_seen != finding.first_seen else ""
    return f"{count}, first {iso(finding.first_seen)}{last}"


def _proof(proof: Proof) -> str:
    where = f" ({quoted(proof.path.rpartition('/')[2])})" if proof.path and proof.path != "-" else ""
    if proof.role is Role.SYMPTOM or proof.name == "stderr":
        return f"{proof.name or 'log'}{where}: {quoted(proof.text)}"
    return f"{proof.source}{where}: {said(proof.text)}"


def _step(number: int, step: Step, finding: Finding, run: Run) -> str:
    """A list item; what belongs to it is indented as far as its text."""
    notes = [step.where, *(f"{agent} only" for agent in step.agents)]
    notes += filter(None, [risk.note(step, run.restart, run.mode == "check")])
    head = f"{number}. "
    blocks = [f"{head}{said(fill(step.text, finding, run.host))} ({said(', '.join(notes))})"]
    for before, text in (("", step.command), ("Undo:\n\n", step.undo)):
        if text:
            shown = before + fence(command(text, finding, run.host).strip(), "sh")
            blocks.append(indented(shown, len(head)))
    return "\n\n".join(blocks)


def _over(run: Run) -> list[str]:
    over = [finding for finding in run.findings if finding.state is State.RECOVERED]
    return [f"{x.rule.id}: {_since(x)}, over {iso(x.recovered_at) or 'since then'}" for x in over]


def _dark(run: Run) -> list[str]:
    dark = [check for check in run.checks if check.outcome in (Outcome.UNKNOWN, Outcome.ERROR)]
    rows = [f"not read: {said(problem)}" for problem in run.problems]
    rows += [f"{check.id}: {said(check.reason)}" for check in dark]
    return rows + [f"left out: {said(note)}" for note in run.notes]


def _unexplained(run: Run) -> list[str]:
    return [f"{entry.count} times {quoted(entry.template)}" for entry in run.unexplained]


def _list(label: str, rows: Sequence[str] | dict[str, None]) -> Iterator[str]:
    if rows:
        yield f"**{label}:**"
        yield "\n".join(f"- {row}" for row in rows)
