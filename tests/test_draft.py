"""Drafts: a rule skeleton from the first error that no rule explains, which is a rule as it stands."""

from __future__ import annotations

import gzip
import io
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_unknown import PIECES

from agentdoctor import rules as catalogue
from agentdoctor.model import Rule
from agentdoctor.rules.draft import draft
from agentdoctor.rules.lint import lint, matching
from agentdoctor.rules.schema import parse
from agentdoctor.scrub import scrub
from agentdoctor.symptoms import Symptoms
from conftest import records

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
SHIPPED = catalogue.load(samples=True).rules

POLL = (
    "2026-11-22T21:00:00 INFO  [codedeploy-agent(26)]: [Aws::CodeDeployCommand::Client 200 0.1 0 retries]"
    ' poll_host_command(host_identifier:"arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0")  \n'
)
KNOWN = (
    "2026-11-22T21:00:01 ERROR [codedeploy-agent(26)]: InstanceAgent::Plugins::CodeDeployPlugin::CommandPoller: Missing"
    " credentials - please check if this instance was started with an IAM instance profile\n"
)
TRACED = (
    "2026-11-22T21:01:09 ERROR [codedeploy-agent(26)]: InstanceAgent::Plugins::CodeDeployPlugin::CommandPoller: Error"
    " during perform: Errno::EXDEV - Invalid cross-device link @ rb_file_s_rename - (/srv/app/a.txt, /mnt/b.txt)"
    " - /opt/codedeploy-agent/lib/instance_agent/plugins/codedeploy/installer.rb:202:in `rename'\n"
    "/opt/codedeploy-agent/lib/instance_agent/plugins/codedeploy/installer.rb:142:in `block in install'\n"
)
SECOND_FRAME = "/opt/codedeploy-agent/lib/instance_agent/agent/base.rb:28:in `each'\n"
RUST = (
    "2026-09-10 08:15:02 ERROR deployment{deployment_id=d-ABCDEF123 command=Install app=my-app}: Command failed"
    " elapsed_ms=35 error=The zygote at agent.example.com:8443 lost shard 17 of /srv/app/data.bin\n"
)
REPORT = (
    "2026-11-22T21:01:48 INFO  [codedeploy-agent(24)]: [Aws::CodeDeployCommand::Client 200 0.004507 0 retries]"
    ' put_host_command_complete(command_status:"Failed",diagnostics:{format:"JSON",payload:"{\\"error_code\\":5,'
    '\\"script_name\\":\\"\\",\\"message\\":\\"The marmot of /srv/app/x.conf has 3 legs\\",\\"log\\":\\"\\"}"},'
    'host_command_identifier:"ZC1BQUFBQUFBQUEvQmVmb3JlSW5zdGFsbA==")  \n'
)
UPDATE = (
    "E, [2026-11-22T20:46:10.123456 #4711] ERROR -- : The gearbox of s3://bucket-1/latest/codedeploy-agent.deb jammed\n"
)
PLAIN = "the flux capacitor at 10.1.2.3 failed with error 88 in scripts/flux.sh\n"
JOURNAL = "Nov 22 20:46:10 ip-10-0-0-1 codedeploy-agent[812]: cannot wind the clockwork of /opt/tower, giving up\n"


class Case(NamedTuple):
    """A log, and what its draft must say."""

    log: str
    sample: str
    agents: tuple[str, ...]
    kind: tuple[str, ...]  # of logs in the signature
    pattern: str  # what stands in it
    elsewhere: str  # the same failure on another host
    other: str  # another failure


DRAFTED = {
    "1.x with a trace": Case(
        POLL + KNOWN + TRACED + SECOND_FRAME * 30 + POLL,
        TRACED + SECOND_FRAME,
        ("1.x",),
        ("agent",),
        r"\bInvalid cross-device link @ rb_file_s_rename - \(",
        TRACED.replace("/srv/app/a.txt", "/var/www/index.html"),
        TRACED.replace("Invalid cross-device link", "Invalid hard link"),
    ),
    "2.x": Case(
        RUST,
        RUST,
        ("2.x",),
        ("agent",),
        "lost shard ",
        RUST.replace("35", "4").replace("17", "2").replace("agent.example", "b.c.example").replace("data.bin", "x"),
        RUST.replace("lost shard", "found shard"),
    ),
    "a failed report": Case(
        POLL + REPORT,
        REPORT,
        ("1.x",),
        ("agent",),
        r"\bThe marmot of (?P<path>",
        REPORT.replace("/srv/app/x.conf", "/etc/y").replace("has 3", "has 12"),
        REPORT.replace("legs", "tails"),
    ),
    "the installer": Case(
        "I, [2026-11-22T20:46:09.123456 #4711]  INFO -- : Starting update check.\n" + UPDATE,
        UPDATE,
        ("1.x",),
        ("update",),
        r"\bThe gearbox of (?P<url>",
        UPDATE.replace("bucket-1", "other"),
        UPDATE.replace("gearbox", "toolbox"),
    ),
    "plain text": Case(
        "all is well\n" + PLAIN,
        PLAIN,
        ("1.x",),
        ("agent",),
        r"\bthe flux capacitor at ",
        PLAIN.replace("10.1.2.3", "172.16.0.99").replace("88", "1").replace("flux.sh", "f.py"),
        PLAIN.replace("capacitor", "inductor"),
    ),
    "the journal": Case(
        JOURNAL,
        JOURNAL,
        ("1.x",),
        ("journal",),
        "cannot wind the clockwork of ",
        JOURNAL.replace("/opt/tower", "/srv/belfry"),
        JOURNAL.replace("wind", "hear"),
    ),
}


def drafted(log: str, id_: str = "") -> tuple[str, Rule]:
    """The YAML that a log gives, and the rule that it is."""
    found = draft(io.BytesIO(log.encode("utf-8", "surrogatepass")), "test.log", SHIPPED, id_)
    assert found
    name, text = found
    return text, parse(text, f"{name}.yaml")


def told(rule: Rule, log: str) -> set[str]:
    """The rules that a log means, the drafted one among them."""
    symptoms = Symptoms([*SHIPPED, rule])
    for record in records(log):
        symptoms.observe(record)
    return {id_ for symptom in symptoms.seen() for id_ in symptom.candidates}


@pytest.mark.parametrize("case", DRAFTED.values(), ids=DRAFTED)
def test_a_draft_is_a_rule(case: Case) -> None:
    """What can be known is filled in."""
    text, rule = drafted(case.log)

    assert rule.agents == case.agents
    assert rule.signature
    assert rule.signature.log == case.kind
    assert case.pattern in rule.patterns[0]
    assert [sample.text for sample in rule.samples] == [case.sample.rstrip("\n")]
    assert text.count("TODO") >= 6
    assert all(len(line) <= 120 for line in text.splitlines() if "TODO" in line and not line.startswith("#"))


@pytest.mark.parametrize("case", DRAFTED.values(), ids=DRAFTED)
def test_a_draft_lints_to_what_is_documented(case: Case) -> None:
    """The near miss, and nothing else."""
    _text, rule = drafted(case.log)

    problems = list(lint(rule, [*SHIPPED, rule]))
    assert problems == [f"samples: no near miss (match: false) for agent {case.agents[0]}"]


@pytest.mark.parametrize("case", DRAFTED.values(), ids=DRAFTED)
def test_a_draft_finds_its_failure(case: Case) -> None:
    """In its own sample, in the log, and where numbers, paths and hosts differ; not where the failure does."""
    _text, rule = drafted(case.log)

    assert rule.id in matching(rule.samples[0], [*SHIPPED, rule])
    assert rule.id in told(rule, case.log)
    assert rule.id in told(rule, case.elsewhere)
    assert case.other != case.sample
    assert rule.id not in told(rule, case.other)


@pytest.mark.parametrize("case", DRAFTED.values(), ids=DRAFTED)
def test_a_draft_that_is_filled_in_is_used(case: Case) -> None:
    """With it in the catalogue, there is nothing left to draft from that log."""
    _text, rule = drafted(case.log)

    assert draft(io.BytesIO(case.log.encode()), "test.log", [*SHIPPED, rule]) is None


@given(st.lists(PIECES, max_size=20).map(lambda pieces: "".join(pieces).replace("\n", " ")))
def test_every_draft_parses(message: str) -> None:
    """Whatever was logged, the YAML gives back the sample and finds it."""
    line = f"2026-11-22T21:01:09 ERROR [codedeploy-agent(26)]: grumpf {message} grampf"
    log = POLL * 20 + line  # a text of control characters alone is no log
    found = draft(io.BytesIO(log.encode("utf-8", "replace")), "test.log", SHIPPED)
    if found:
        rule = parse(found[1], f"{found[0]}.yaml")
        shown = scrub(line.encode("utf-8", "replace").decode()).rstrip("\n")

        assert [sample.text for sample in rule.samples] == [shown]
        assert rule.id in matching(rule.samples[0], [*SHIPPED, rule])


def test_secrets_stay_in_the_log() -> None:
    """Neither the sample nor the pattern nor the id has them, and both texts are found."""
    log = TRACED.replace("rb_file_s_rename", "password=hunter2 rb_file_s_rename AKIAABCDEFGHIJKLMNOP")
    text, rule = drafted(log)

    assert "hunter2" not in text
    assert "AKIA" not in text
    assert rule.id in told(rule, log)
    assert rule.id in matching(rule.samples[0], [*SHIPPED, rule])


def test_a_draft_in_a_zip_and_after_a_hole(tmp_path: Path) -> None:
    """The sample is read where the error stands, packed or behind what a truncation left."""
    packed = tmp_path / "x.log.gz"
    packed.write_bytes(gzip.compress((POLL * 5000 + TRACED).encode()))
    with gzip.open(packed) as stream:
        found = draft(stream, "x", SHIPPED)
    holed = draft(io.BytesIO(b"\0" * 100_000 + (POLL * 5 + TRACED).encode()), "x", SHIPPED)

    assert found == holed
    assert found
    assert parse(found[1], f"{found[0]}.yaml").samples[0].text == TRACED.rstrip("\n")


def test_ids() -> None:
    """From the message, one that is free, or the given one."""
    _text, rule = drafted(TRACED)
    again = draft(io.BytesIO(TRACED.encode()), "x", [*SHIPPED, replace(SHIPPED[0], id=rule.id)])

    assert rule.id == "invalid-cross-device-link"
    assert again
    assert again[0] == "invalid-cross-device-link-new"
    assert drafted(TRACED, "rename-across-devices")[1].id == "rename-across-devices"
    assert (
        drafted(TRACED.replace("Invalid cross-device link @ rb_file_s_rename", "Boom"))[1].id == "boom-unknown-failure"
    )


EXPLAINED = "holds no error that the rules do not explain; nothing to draft"
PRINTED = "2026-11-22 21:01:09 LifecycleEvent - Install\n2026-11-22 21:01:09 [stderr]a flux failed\n"
NOTHING = {
    "nothing at all": ("", "is empty"),
    "a healthy log": (POLL * 3, EXPLAINED),
    "what the rules know": (POLL + KNOWN, EXPLAINED),
    "plain text without an error": ("all is well\n", EXPLAINED),
    "an error without a word": ("2026-11-22T21:01:09 ERROR [codedeploy-agent(26)]: ---\n", EXPLAINED),
    "what a hook printed": (PRINTED, EXPLAINED),
}


@pytest.mark.parametrize(("log", "said"), NOTHING.values(), ids=NOTHING)
def test_nothing_to_draft_is_said(log: str, said: str, cli: Cli) -> None:
    """One line, and exit code 3."""
    done = cli("rules", "draft", "-", input=log)

    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr == f"agentdoctor: -: {said}\n"


REFUSED = {
    "a log that is not there": (["absent.log"], "agentdoctor: absent.log: No such file or directory"),
    "a nearly right name": (["x.lgo"], "agentdoctor: x.lgo: No such file or directory (did you mean 'x.log'?)"),
    "a directory": (["."], "agentdoctor: .: is a directory"),
    "an id of one word": (["x.log", "--id", "boom"], "is not a kebab-case id of two words or more"),
    "an id in a folder": (["x.log", "--id", "a/b-c"], "agentdoctor: --id: 'a/b-c' is not the name of a file"),
    "an id that is taken": (["x.log", "--id", "disk-full"], "agentdoctor: --id: there is a rule 'disk-full' already"),
}


@pytest.mark.parametrize(("arguments", "said"), REFUSED.values(), ids=REFUSED)
def test_refusals(arguments: list[str], said: str, cli: Cli, tmp_path: Path) -> None:
    """One clear line, exit code 3, and nothing on stdout."""
    (tmp_path / "x.log").write_text(TRACED)
    done = cli("rules", "draft", *arguments)

    assert (done.returncode, done.stdout) == (3, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_draft_fill_lint_scan(cli: Cli, tmp_path: Path) -> None:
    """The way that CONTRIBUTING.md shows, from a file and from a pipe, to a site's rule that is used."""
    (tmp_path / "x.log").write_text(TRACED)
    done = cli("rules", "draft", "x.log", "--id", "rename-across-devices")
    assert (done.returncode, done.stderr) == (0, "")
    assert cli("rules", "draft", "-", "--id", "rename-across-devices", input=TRACED).stdout == done.stdout

    (tmp_path / "rules.d").mkdir()
    miss = "  - agent: 1.8.1\n    match: false\n    text: '2026-11-22T21:01:09 ERROR [x(1)]: Invalid argument'\n"
    (tmp_path / "rules.d/rename-across-devices.yaml").write_text(done.stdout + miss)
    (tmp_path / "site.yaml").write_text("rules_dir: rules.d\n")
    linted = cli("rules", "lint", "rules.d/rename-across-devices.yaml")
    scanned = cli("scan", "--config", "site.yaml", "x.log")

    assert (linted.returncode, linted.stdout) == (0, "1 rules: all good\n")
    assert "rename-across-devices" in scanned.stdout
    assert scanned.returncode == 2
