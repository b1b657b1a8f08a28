"""The runs that tests/golden shows in each format. Run as a program it renews those files: look at what changes."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

from agentdoctor import __version__
from agentdoctor.model import (
    Alternative,
    Check,
    Deployment,
    Finding,
    Outcome,
    Proof,
    Role,
    Rule,
    State,
    Unexplained,
    Verdict,
)
from agentdoctor.report import Run, fingerprint_rules
from agentdoctor.rules.schema import parse
from agentdoctor.verbs.output import rendered

GOLDEN = Path(__file__).parent / "golden"
ENDINGS = {
    "text": "txt",
    "json": "json",
    "jsonl": "jsonl",
    "nagios": "txt",
    "prometheus": "prom",
    "junit": "xml",
    "markdown": "md",
}
AT = 1_795_000_000.0  # 2026-11-18T11:06:40Z

_RULE = """\
title: {title}
severity: {severity}
area: {area}
subject: path
signature: {{any: ['cannot read (?P<path>\\S+) at all']}}
cause: {cause}
remediation:
  - {{text: 'Give {{path}} back', where: instance, command: 'sudo install -m 644 /dev/stdin {{path}}', undo: 'sudo rm {{path}}'}}
  - {{text: Restart the agent, where: instance, agents: [1.x], command: sudo systemctl restart codedeploy-agent, risk: from-host}}
recovery: {{event: same}}
docs: https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting.html
"""  # noqa: E501


def _rule(id_: str, title: str, severity: str, area: str = "install") -> Rule:
    cause = "'The agent opened {path} in {event} and was refused.'"
    return parse(_RULE.format(title=f"'{title}'", severity=severity, area=area, cause=cause), f"{id_}.yaml")


CONFLICT = _rule("destination-broken", "The file {path} is in the way", "critical")
DISK = _rule("disk-nearly-full", "The disk of {path} is nearly full", "warning", "disk")
UPDATE = _rule("agent-update-waits", "An update of the agent waits", "info", "update")
REFUSED = _rule("endpoint-refused", "The endpoint refused the agent", "critical", "network")
THROTTLED = _rule("endpoint-slow", "The endpoint is slow", "warning", "network")
CLOCK = _rule("clock-wrong", "The clock is wrong", "critical", "clock")
SILENT = _rule("agent-mute", "The agent logs nothing", "warning", "agent")
RULES = (CONFLICT, DISK, UPDATE, REFUSED, THROTTLED, CLOCK, SILENT)


def about(rule: Rule, path: str = "/srv/app/config.yml", state: State = State.ACTIVE) -> Finding:
    """A finding of a rule about a path, with all that a finding may have."""
    return Finding(
        rule=rule,
        state=state,
        verdict=Verdict.CONFIRMED,
        subject=path,
        first_seen=AT,
        last_seen=AT + 60,
        count=3,
        deployment=Deployment("d-ABCDEF123", "11111111-2222-3333-4444-555555555555", "Install", "scripts/install.sh"),
        details={"path": path, "event": "Install"},
        evidence=(
            Proof(Role.SYMPTOM, "log", f"cannot read {path} at all", AT, path="/var/log/aws/x.log", offset=5),
            Proof(Role.CONTEXT, "log", f"ls: cannot access {path}", AT, name="stderr"),
            Proof(Role.CONFIRMS, "disk", f"{path} belongs to root", name="disk.file.owner", expected="", actual="root"),
        ),
        ruled_out=(Alternative("disk-full", "The disk is full", "14.2 GB are free"),),
    )


NOTHING = Run(
    mode="check",
    started_at=AT + 100,
    duration_ms=412.5,
    findings=(),
    checks=[Check(rule.id, Outcome.PASS, duration_ms=1.5) for rule in RULES],
    host={
        "name": "web-07",
        "instance_id": "i-0123456789abcdef0",
        "region": "eu-west-1",
        "os": "Ubuntu 24.04.1 LTS",
        "agent": {"kind": "1.x", "version": "OFFICIAL_1.8.1-99_deb"},
    },
    rules=RULES,
    restart={"kill_mode": "process", "others": 0, "names": [], "kills": 0, "deploying": False, "safe": True},
)


def rows(**outcomes: tuple[Outcome, str]) -> list[Check]:
    """A row for each rule: what is said of it, by its id with underscores, else that it passed."""
    said = {name.replace("_", "-"): outcome for name, outcome in outcomes.items()}
    return [Check(rule.id, *said.get(rule.id, (Outcome.PASS, "")), duration_ms=1.5) for rule in RULES]


# One of each: findings in every state, checks with every outcome, and all that may be left over.
EVERYTHING = replace(
    NOTHING,
    findings=(
        about(CONFLICT),
        about(CONFLICT, "/srv/app/other.yml"),
        replace(about(DISK, "/var"), verdict=Verdict.LIKELY, siblings=("clock-wrong",)),
        about(UPDATE),
        about(REFUSED, state=State.QUIET),
        replace(about(DISK, "/opt", State.MASKED), masked_by="destination-broken"),
        replace(about(THROTTLED, state=State.RECOVERED), recovered_at=AT + 90),
    ),
    checks=rows(
        destination_broken=(Outcome.FAIL, ""),
        disk_nearly_full=(Outcome.FAIL, ""),
        agent_update_waits=(Outcome.FAIL, ""),
        clock_wrong=(Outcome.UNKNOWN, "clock.offset: nothing answered in 2 s"),
        agent_mute=(Outcome.SKIP, "needs a host to look at"),
    ),
    unexplained=[Unexplained("Errno::EIO - Input/output error @ <path>", 4, AT, AT + 9)],
    problems=["/var/log/aws/codedeploy-agent/codedeploy-agent.20261117.log: Permission denied"],
    notes=["the journal cannot be read: systemd-python is not installed"],
)


def shown(format_: str) -> str:
    """The run with everything in a format, without what changes with the version and the fields of a rule."""
    text = rendered(EVERYTHING, format_)
    return text.replace(fingerprint_rules(RULES), "RULES").replace(__version__, "VERSION")


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    GOLDEN.mkdir(exist_ok=True)
    for name, ending in ENDINGS.items():
        (GOLDEN / f"{name}.{ending}").write_text(shown(name), encoding="utf-8")
