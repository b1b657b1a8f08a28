"""The formats of a run: golden files, and what each promises to who reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import consumers
import jsonschema
import pytest
from golden_runs import (
    CONFLICT,
    DISK,
    ENDINGS,
    EVERYTHING,
    GOLDEN,
    NOTHING,
    REFUSED,
    THROTTLED,
    UPDATE,
    about,
    rows,
    shown,
)
from test_report import CODES

from agentdoctor.arguments import FORMATS
from agentdoctor.model import Finding, Outcome, Severity, State
from agentdoctor.report import Run, document
from agentdoctor.verbs.output import rendered

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _utc(zone: Callable[[str], None]) -> None:
    """Text has local times."""
    zone("UTC")


@pytest.mark.parametrize("format_", FORMATS)
def test_golden(format_: str) -> None:
    """``python tests/golden_runs.py`` renews them."""
    assert shown(format_) == (GOLDEN / f"{format_}.{ENDINGS[format_]}").read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    assert sorted(path.name for path in GOLDEN.iterdir()) == sorted(f"{x}.{ENDINGS[x]}" for x in FORMATS)


# --- JSON lines


def test_jsonl_is_the_report_in_pieces() -> None:
    """Nothing is lost, and each line says by itself of which run and host it is."""
    whole = document(EVERYTHING)
    found = consumers.jsonl(rendered(EVERYTHING, "jsonl"))
    envelope = {"schema": "agentdoctor.line/1", "run_at": whole["run"]["started_at"], "host": whole["host"]}
    about_run = {name: whole[name] for name in ("tool", "run", "summary", "self")}

    assert found == [
        {**envelope, "kind": "run", **about_run},
        *({**envelope, "kind": "finding", **entry} for entry in whole["findings"]),
        *({**envelope, "kind": "check", **entry} for entry in whole["checks"]),
        *({**envelope, "kind": "unexplained", **entry} for entry in whole["unexplained"]),
    ]


POOR = {"no kind": {"kind": None}, "another kind": {"kind": "check"}, "no time": {"run_at": "yesterday"}}


@pytest.mark.parametrize("change", POOR.values(), ids=POOR)
def test_the_schema_of_a_line_refuses(change: dict[str, object]) -> None:
    """A finding is no check, and a line without its envelope is none."""
    row = next(row for row in consumers.jsonl(rendered(EVERYTHING, "jsonl")) if row["kind"] == "finding")

    with pytest.raises(jsonschema.ValidationError):
        consumers.SHAPE.validate({**row, **change})


# --- Nagios


@pytest.mark.parametrize(("given", "code", "_"), CODES.values(), ids=CODES)
def test_the_word_of_nagios_is_that_of_the_exit_code(given: Run, code: int, _: str) -> None:
    """A monitor goes by the code, a person by the word."""
    state, *_rest = consumers.nagios(rendered(given, "nagios"))

    assert state == ("OK", "WARNING", "CRITICAL", "UNKNOWN")[code]


def test_nagios_says_why_it_is_unknown() -> None:
    """The headline speaks of what is there, which is below the bar."""
    given = replace(NOTHING, findings=[about(UPDATE)], problems=["x.log: Permission denied"])
    state, words, _, details = consumers.nagios(rendered(given, "nagios"))

    assert (state, words) == ("UNKNOWN", "not everything is known; An update of the agent waits")
    assert "[UNKNOWN] x.log: Permission denied" in details


def test_nagios_says_what_it_left_out() -> None:
    """At 4 KB it ends with the number of lines that are missing."""
    _, _, _, all_ = consumers.nagios(rendered(replace(EVERYTHING, findings=EVERYTHING.findings[:1]), "nagios"))
    many = [about(CONFLICT, f"/srv/{number}") for number in range(100)]
    _, _, numbers, details = consumers.nagios(rendered(replace(NOTHING, findings=many), "nagios"))
    left_out = re.fullmatch(r"and (\d+) more lines: --format text has them all", details[-1])

    assert not any("more lines" in row for row in all_)
    assert left_out
    assert len(details) - 1 + int(left_out[1]) == 100 * 6
    assert numbers["critical"] == 100


# --- Prometheus


def test_prometheus_has_each_number() -> None:
    """Findings of one rule are counted, not written twice."""
    found = consumers.prometheus(rendered(EVERYTHING, "prometheus"))
    conflict = (("id", "destination-broken"), ("severity", "critical"), ("verdict", "confirmed"), ("state", "active"))

    assert found["agentdoctor_finding", conflict] == 2
    assert found["agentdoctor_exit_code", ()] == 2
    assert found["agentdoctor_complete", ()] == 0
    assert found["agentdoctor_last_run_timestamp_seconds", ()] == EVERYTHING.started_at
    assert [found["agentdoctor_checks", (("outcome", one.value),)] for one in Outcome] == [2, 3, 1, 1, 0]
    assert {name for _, labels in found for name, _ in labels} == {
        "version", "rules_sha256", "id", "severity", "verdict", "state", "outcome",
    }  # fmt: skip


def test_prometheus_has_no_finding_where_there_is_none() -> None:
    found = consumers.prometheus(rendered(NOTHING, "prometheus"))

    assert not any(name == "agentdoctor_finding" for name, _ in found)
    assert found["agentdoctor_complete", ()] == 1


def test_prometheus_escapes_labels() -> None:
    """No id of ours needs it; the format does."""
    odd = 'a"b\\c\nd'
    found = consumers.prometheus(rendered(replace(NOTHING, findings=[about(replace(DISK, id=odd))]), "prometheus"))

    assert [dict(labels)["id"] for name, labels in found if name == "agentdoctor_finding"] == [odd]


# --- JUnit


def one(finding: Finding, **parts: object) -> Run:
    """A run with one finding, whose check failed."""
    failed = rows(**{finding.rule.id.replace("-", "_"): (Outcome.FAIL, "")})
    return replace(NOTHING, **{"findings": [finding], "checks": failed, **parts})  # type: ignore[arg-type]


JUNIT = {
    "nothing": (NOTHING, 0, 0),
    "critical": (one(about(CONFLICT)), 1, 0),
    "two of a rule": (one(about(CONFLICT), findings=[about(CONFLICT), about(CONFLICT, "/y")]), 1, 0),
    "warning": (one(about(DISK)), 1, 0),
    "warning below the bar": (one(about(DISK), fail_on=Severity.CRITICAL), 0, 0),
    "info": (one(about(UPDATE)), 0, 0),
    "info that matters": (one(about(UPDATE), fail_on=Severity.INFO), 1, 0),
    "quiet": (one(about(REFUSED, state=State.QUIET)), 0, 1),
    "recovered": (one(about(THROTTLED, state=State.RECOVERED)), 0, 0),
    "masked": (one(about(DISK, state=State.MASKED)), 0, 0),
    "could not look": (replace(NOTHING, checks=rows(clock_wrong=(Outcome.UNKNOWN, "no answer"))), 0, 1),
    "a probe that broke": (replace(NOTHING, checks=rows(clock_wrong=(Outcome.ERROR, "KeyError"))), 0, 1),
    "a log that could not be read": (replace(NOTHING, problems=["x.log: Permission denied"]), 0, 1),
    "skipped": (replace(NOTHING, checks=rows(clock_wrong=(Outcome.SKIP, "no host"))), 0, 0),
    "everything": (EVERYTHING, 2, 3),
}


@pytest.mark.parametrize(("given", "failures", "errors"), JUNIT.values(), ids=JUNIT)
def test_junit_is_green_when_the_exit_code_is_0(given: Run, failures: int, errors: int) -> None:
    """And red whenever it is not."""
    tags = [tag for tag, _ in consumers.junit(rendered(given, "junit")).values()]

    assert (tags.count("failure"), tags.count("error")) == (failures, errors)
    assert (failures + errors > 0) == (given.exit_code != 0)


def test_junit_keeps_what_does_not_fail() -> None:
    """What is over, a consequence or below the bar stands in the output of its case."""
    root = consumers.ET.fromstring(rendered(EVERYTHING, "junit"))
    out = {case.attrib["name"]: case.findtext("system-out") or "" for case in root.iter("testcase")}

    assert out["endpoint-slow"].startswith("recovered:\n")
    assert out["disk-nearly-full"].startswith("masked:\n")
    assert out["agent-update-waits"].startswith("active:\n")
    assert out["destination-broken"] == ""


# --- Markdown

PROSE = {
    "plain": ("The file /srv/app is in the way (3 times).", "The file /srv/app is in the way (3 times)."),
    "a name with underscores": ("no file_exists_behavior set", "no file_exists_behavior set"),
    "emphasis": ("a *b* _c_", "a `*b*` `_c_`"),
    "a mention": ("by @admin now", "by `@admin` now"),
    "a reference": ("see #12 and o/p#3 and !4", "see `#12` and `o/p#3` and `!4`"),
    "a bare address": ("at Www.example.com http://x", "at `Www.example.com` `http://x`"),
    "a link": ("[a b](http://x)", "`[a` `b](http://x)`"),
    "a backtick": ("a `b` c", "a `` `b` `` c"),
    "a list": ("- a - b", "`-` a - b"),
    "a number": ("1. a 2. b", "`1.` a 2. b"),
    "a number that begins no list": ("1.8 a", "1.8 a"),
}


@pytest.mark.parametrize(("text", "written"), PROSE.values(), ids=PROSE)
def test_words_that_would_mean_something_are_code(text: str, written: str) -> None:
    """Escaped they would still be found by what makes mentions and links of text."""
    from agentdoctor.report.ticket import said

    assert said(text) == written


def test_a_fence_is_longer_than_any_in_the_command() -> None:
    step = replace(CONFLICT.remediation[0], command="echo '````'\necho {path}", undo="")
    given = one(about(replace(CONFLICT, remediation=(step,)), "/x"))

    assert "\n   `````sh\n   echo '````'\n   echo /x\n   `````\n" in rendered(given, "markdown")
