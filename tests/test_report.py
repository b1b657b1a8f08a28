"""Reports: what a person sees, what a machine gets, and hostile text in both."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Check, Deployment, Finding, Outcome, Proof, Role, Rule, Severity, State, Verdict
from agentdoctor.report import Run, command, document, exit_meaning, headline
from agentdoctor.report.json import render as as_json
from agentdoctor.report.page import render as page
from agentdoctor.report.text import render as as_text
from agentdoctor.rules.schema import parse
from agentdoctor.runs import check
from agentdoctor.verbs.output import rendered

AT = 1_795_000_000.0
RULE = parse(
    """\
title: The path {path} is broken
severity: critical
area: test
subject: path
signature: {any: ['cannot read (?P<path>\\S+) at all']}
cause: The path {path} cannot be read by {event}.
remediation:
  - {text: Mend {path}, where: instance, command: 'sudo cat {path}; echo {region}', undo: 'rm {path}'}
  - {text: Restart, where: instance, agents: [1.x], command: sudo systemctl restart codedeploy-agent, risk: from-host}
recovery: {event: same}
docs: https://example.com
""".replace("text: Mend {path}", "text: 'Mend {path}'"),
    "path-broken.yaml",
)


def finding(path: str = "/srv/app", **parts: Any) -> Finding:
    """A finding about a path."""
    values: dict[str, Any] = {
        "rule": RULE, "state": State.ACTIVE, "verdict": Verdict.CONFIRMED, "subject": path, "first_seen": AT,
        "last_seen": AT + 60, "count": 3, "deployment": Deployment("d-ABCDEF123", "g", "Install", ""),
        "details": {"path": path},
        "evidence": (Proof(Role.SYMPTOM, "log", f"cannot read {path} at all", AT, path="/var/log/x.log", offset=5),),
    }  # fmt: skip
    return Finding(**{**values, **parts})


def run(*findings: Finding, **parts: Any) -> Run:
    """A run that found these."""
    values = {"mode": "check", "started_at": AT + 100, "duration_ms": 12.0, "findings": findings, "rules": [RULE]}
    return Run(**{**values, **parts})


def rule(severity: Severity) -> Rule:
    return replace(RULE, severity=severity)


UNKNOWN = [Check("a-b", Outcome.UNKNOWN, "no permission")]
CODES = {
    "nothing": (run(), 0, "ok"),
    "critical": (run(finding()), 2, "critical"),
    "warning": (run(finding(rule=rule(Severity.WARNING))), 1, "warning"),
    "info": (run(finding(rule=rule(Severity.INFO))), 0, "info"),
    "info, when it matters": (run(finding(rule=rule(Severity.INFO)), fail_on=Severity.INFO), 1, "info"),
    "warning, when it does not": (run(finding(rule=rule(Severity.WARNING)), fail_on=Severity.CRITICAL), 0, "warning"),
    "only latent": (run(finding(rule=replace(RULE, latent=Severity.WARNING), latent=True)), 1, "warning"),
    "latent in a rule that does not tell": (run(finding(latent=True)), 2, "critical"),
    "recovered": (run(finding(state=State.RECOVERED)), 0, "ok"),
    "quiet": (run(finding(state=State.QUIET)), 3, "unknown"),
    "masked": (run(finding(state=State.MASKED)), 0, "ok"),
    "something could not be looked at": (run(checks=UNKNOWN), 3, "unknown"),
    "a log could not be read": (run(problems=["x.log: Permission denied"]), 3, "unknown"),
    "critical, and something was not looked at": (run(finding(), checks=UNKNOWN), 2, "critical"),
    "a skipped check": (run(checks=[Check("a-b", Outcome.SKIP)]), 0, "ok"),
}


@pytest.mark.parametrize(("given", "code", "status"), CODES.values(), ids=CODES)
def test_exit_code_and_status(given: Run, code: int, status: str) -> None:
    """The worst that holds decides; what could not be seen is not healthy."""
    assert (given.exit_code, given.status) == (code, status)
    assert document(given)["summary"]["exit_code"] == code


def test_placeholders() -> None:
    """What is known is put in, what is not stays a word in capitals."""
    assert headline(run(finding())) == "The path /srv/app is broken"
    assert command(RULE.remediation[0].command, finding(), {}) == "sudo cat /srv/app; echo REGION"
    assert command(RULE.remediation[0].command, finding(), {"region": "eu-west-1"}).endswith("echo eu-west-1")


EXITS = {"1": "general error", "126": "may not be executed", "127": "not found", "137": "SIGKILL", "143": "SIGTERM"}


@pytest.mark.parametrize(("code", "words"), EXITS.items())
def test_exit_codes_in_words(code: str, words: str) -> None:
    """A number says little at 3 a.m."""
    assert words in exit_meaning(code)


def test_exit_codes_of_the_script_itself() -> None:
    """Any other number means what the script means by it."""
    assert {exit_meaning(code) for code in ("3", "78", "", "x", "-1")} == {"the script's own"}


HOSTILE = ("/x;reboot", "$(reboot)", "`reboot`", "a b", "it's", "x\nreboot", "{region}", "--help|sh", "\x1b[2Jx", "é")


@pytest.mark.parametrize("path", HOSTILE)
def test_log_text_in_commands_is_one_word(path: str) -> None:
    """Whatever a log says stays one argument of the command that people paste."""
    words = shlex.split(command("sudo cat {path}", finding(path), {}))

    assert len(words) == 3
    assert words[:2] == ["sudo", "cat"]


@pytest.mark.parametrize("path", HOSTILE)
def test_nothing_hostile_is_shown(path: str) -> None:
    """No control character reaches a terminal or a reader of JSON."""
    given = run(finding(path), problems=[path], checks=[Check("a-b", Outcome.UNKNOWN, path)])
    for text in (as_text(given), str(json.loads(as_json(given))["findings"][0]["title"])):
        assert not any((ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 for c in text)


def test_secrets_are_in_no_format() -> None:
    """They are removed wherever log text is shown."""
    secret = "wJalrXUtnFEMIK7MDENGEXAMPLE"
    given = run(finding(evidence=(Proof(Role.SYMPTOM, "log", f"aws_secret_access_key={secret}", AT),)))

    assert secret not in as_text(given)
    assert secret not in as_json(given)


def test_values_are_safe_in_every_depth() -> None:
    """Evidence may hold lists and maps, and numbers for which JSON has no word."""
    secret = "wJalrXUtnFEMIK7MDENGEXAMPLE"
    seen = {"scripts": [f"run.sh --password {secret}"], "free": float("nan"), "most": float("inf")}
    proof = Proof(Role.CONFIRMS, "disk", f"it is {seen}", AT, name="a.b", expected={"max": float("inf")}, actual=seen)
    parts = Deployment(f"password={secret}", f"token={secret}", f"secret={secret}", f"key: password={secret}")
    given = run(finding(evidence=(proof,), deployment=parts))

    for format_ in ("text", "json", "jsonl", "nagios", "prometheus", "junit", "markdown"):
        shown = rendered(given, format_)
        assert secret not in shown
        assert format_ == "text" or not re.search(r"\b(?:NaN|Infinity)\b", shown)
    (shown_proof,) = json.loads(as_json(given))["findings"][0]["evidence"]
    assert (shown_proof["actual"]["free"], shown_proof["expected"]["max"]) == (None, None)


def test_commands_are_not_wrapped() -> None:
    """A line that is broken cannot be pasted; prose keeps to 80 columns."""
    long = "/srv/" + "x" * 120
    lines = as_text(run(finding(long, subject=""))).splitlines()

    assert any(line.strip() == f"sudo cat {long}; echo REGION" for line in lines)
    assert all(len(line) <= 80 for line in lines if long not in line)


def test_steps_of_the_generation() -> None:
    """Advice for 1.x is not given on 2.x."""
    host = {"agent": {"kind": "2.x", "version": "2.1.0"}}
    (shown,) = document(run(finding(), host=host))["findings"]

    assert [step["text"] for step in shown["remediation"]] == ["Mend /srv/app"]
    assert len(document(run(finding()))["findings"][0]["remediation"]) == 2


def test_fingerprint_and_cohort() -> None:
    """The fingerprint is of this host and lasts; the cohort is equal over a fleet."""

    def ids(instance: str, path: str = "/srv/app") -> tuple[str, str]:
        shown = document(run(finding(path), host={"instance_id": instance}))["findings"][0]
        return shown["fingerprint"], shown["cohort"]

    one, other = ids("i-0123456789abcdef0"), ids("i-0fedcba9876543210")
    assert one == ids("i-0123456789abcdef0")
    assert one[0] != other[0]
    assert one[1] == other[1]
    assert ids("i-0123456789abcdef0", "/srv/other")[1] != one[1]


def test_masked_findings_are_kept_for_machines() -> None:
    """And not printed, unless asked for."""
    given = run(finding(), finding("/y", state=State.MASKED, masked_by="root-cause"))

    assert [x["masked_by"] for x in document(given)["findings"]] == [None, "root-cause"]
    assert "/y" not in as_text(given)
    assert "a consequence of root-cause" in as_text(given, verbose=True)


def test_a_page() -> None:
    """What it is, how it is proven, what to do, how it clears."""
    text = page(RULE, [RULE])

    for part in ("path-broken: ", "In the logs", "How it is proven", "What to do", "How it clears", RULE.docs):
        assert part in text
    assert all(len(line) <= 80 or "sudo" in line for line in text.splitlines())


SAFE = {
    "kill_mode": "process",
    "others": 0,
    "names": [],
    "kills": 0,
    "deploying": False,
    "deployment": "",
    "safe": True,
}
JAVA = {**SAFE, "kill_mode": "control-group", "others": 1, "kills": 1, "names": ["java"], "safe": False}
MANY = {**JAVA, "others": 7, "kills": 7, "names": ["java", "node", "nginx"]}
BUSY = {**SAFE, "deploying": True, "deployment": "d-ABCDEF123", "safe": False}
HOOKS = "of your application that hooks started in its unit"
FAILS = "fails a deployment that runs now (d-ABCDEF123)"
RISKS = {
    "nothing else there": (SAFE, "check", "low", "low risk: nothing else runs in its unit"),
    "an application that is spared": (
        {**SAFE, "others": 2, "names": ["java"]},
        "check",
        "low",
        "low risk: what else runs in its unit (java, ...) is left alone",
    ),
    "an application": (
        JAVA,
        "check",
        "disruptive",
        f"kills 1 process {HOOKS} (java): start it by systemd-run or its own unit first",
    ),
    "a large one": (
        MANY,
        "check",
        "disruptive",
        f"kills 7 processes {HOOKS} (java, node, nginx, ...): start them by systemd-run or their own unit first",
    ),
    "a deployment": (BUSY, "check", "disruptive", FAILS),
    "both": (
        {**JAVA, "deploying": True, "deployment": "d-ABCDEF123"},
        "check",
        "disruptive",
        f"{FAILS}; kills 1 process {HOOKS} (java): start it by systemd-run or its own unit first",
    ),
    "a part of it not known": (
        {**SAFE, "deploying": None, "safe": None},
        "check",
        "from-host",
        "restarts the agent: not while a deployment runs; could not look",
    ),
    "could not look": (None, "check", "from-host", "restarts the agent: not while a deployment runs; could not look"),
    "nobody looked": (None, "scan", "from-host", "restarts the agent: not while a deployment runs"),
}


@pytest.mark.parametrize(("restart", "mode", "risk", "note"), RISKS.values(), ids=RISKS)
def test_what_a_restart_would_hit(restart: dict[str, Any] | None, mode: str, risk: str, note: str) -> None:
    """The step says what the host showed, in both formats; a step that restarts nothing says nothing of it."""
    given = run(finding(), mode=mode, restart=restart)
    mend, again = document(given)["findings"][0]["remediation"]

    assert (again["risk"], again["risk_note"]) == (risk, note)
    assert (mend["risk"], mend["risk_note"]) == ("none", None)
    assert f"2 Restart [instance, 1.x only, {note}]" in " ".join(as_text(given).split())


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_processes_are_text_of_strangers(name: str) -> None:
    given = run(finding(), restart={**JAVA, "names": [name], "deployment": name, "deploying": True})
    text = as_text(given) + as_json(given)

    assert not any((ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 for c in text)


STEPS = {
    "a step that restarts the agent": ("sudo systemctl restart codedeploy-agent", "from-host", SAFE),
    "a step that does not": ("sudo systemctl enable codedeploy-agent", "low", None),
}


@pytest.mark.parametrize(("text", "risk", "restart"), STEPS.values(), ids=STEPS)
def test_check_looks_where_a_step_restarts_the_agent(
    tmp_path: Path, text: str, risk: str, restart: dict[str, Any] | None
) -> None:
    """What a restart would hit is kept with the run only where somebody is told to restart."""
    step = replace(RULE.remediation[1], command=text, risk=risk)
    standing = replace(
        RULE, signature=None, standing=True, confirm=({"unit.state": {"result": "x"}},), remediation=(step,)
    )
    recorded = {"unit.state": {"value": {"result": "x"}}, "unit.restart_risk": {"value": SAFE}}

    assert check([standing], Host(str(tmp_path), live=False, recorded=recorded, taken_at=AT)).restart == restart
