"""The command line as people and scripts meet it: a process, its two streams and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from agentdoctor import rules
from agentdoctor.arguments import FORMATS
from agentdoctor.cli import main
from agentdoctor.report.json import schema
from conftest import CORPUS, TOP

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
LOG = "var/log/aws/codedeploy-agent/codedeploy-agent.log"
CRITICAL = str(CORPUS / "d_longlog" / LOG)
HEALTHY = str(CORPUS / "orphan_child_restart" / LOG)
WARNING_RULE = """\
title: A poll was seen
severity: warning
area: test
signature: {any: ['INFO that warns of it']}
cause: It was.
remediation: [{text: Look, where: instance}]
recovery: {any: ['never says this']}
docs: https://example.com
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Settings of a site with a rule of its own that warns."""
    (tmp_path / "rules.d").mkdir()
    (tmp_path / "rules.d/poll-seen.yaml").write_text(WARNING_RULE)
    (tmp_path / "warning.log").write_text("2026-11-22T21:02:37 WARN  [codedeploy-agent(24)]: INFO that warns of it\n")
    (tmp_path / "site.yaml").write_text(f"rules_dir: {tmp_path}/rules.d\n")
    return tmp_path


EXIT_CODES = {
    "nothing wrong": (["scan", HEALTHY], 0),
    "a warning": (["scan", "--config", "site.yaml", "warning.log"], 1),
    "critical": (["scan", CRITICAL], 2),
    "a warning and critical": (["scan", "--config", "site.yaml", "warning.log", CRITICAL], 2),
    "a warning below the bar": (["scan", "--config", "site.yaml", "--fail-on", "critical", "warning.log"], 0),
    "a missing file": (["scan", "absent.log"], 3),
    "a missing file beside a critical one": (["scan", "absent.log", CRITICAL], 2),
    "no verb": ([], 3),
    "an unknown verb": (["chek"], 3),
    "an unknown flag": (["check", "--formt", "json"], 3),
    "an unknown format": (["check", "--format", "xml"], 3),
    "a format that holds one run, for two": (["demo", "--format", "junit"], 3),
    "a file for two runs": (["demo", "--output", "x"], 3),
    "an unknown id": (["explain", "disk-ful"], 3),
    "help": (["--help"], 0),
    "help of a verb": (["check", "--help"], 0),
    "version": (["--version"], 0),
    "explain": (["explain", "disk-full"], 0),
    "rules list": (["rules", "list"], 0),
    "rules show": (["rules", "show", "disk-full"], 0),
    "rules test": (["rules", "test", "disk-full"], 0),
    "rules lint of a poor rule": (["rules", "lint", "rules.d/poll-seen.yaml"], 2),
    "schema": (["schema", "report"], 0),
    "schema of a line": (["schema", "line"], 0),
    "demo": (["demo"], 2),
    "a copied tree": (["check", "--root", str(CORPUS / "d_yaml_ext")], 2),
    "a tree that is not there": (["check", "--root", str(CORPUS / "d_yaml_exd")], 3),
    "a time that is over": (["check", "--timeout", "-1"], 3),
    "a time that is no number": (["check", "--timeout", "soon"], 3),
    "a bad age": (["check", "--since", "yesterday"], 3),
    "a bad time to wait": (["verify", "--wait", "-5m"], 3),
    "what a tree still shows": (["verify", "--root", str(CORPUS / "d_yaml_ext")], 2),
    "one thing that it shows": (["verify", "appspec-misnamed", "--root", str(CORPUS / "d_yaml_ext")], 2),
    "one that it cannot show": (["verify", "disk-full", "--root", str(CORPUS / "d_yaml_ext")], 3),
    "an unknown id to verify": (["verify", "disk-ful"], 3),
    "waited for in vain": (["check", "--wait", "1s", "--root", str(CORPUS / "d_yaml_ext")], 2),
}


@pytest.mark.parametrize(("arguments", "code"), EXIT_CODES.values(), ids=EXIT_CODES)
def test_exit_codes(arguments: list[str], code: int, cli: Cli, site: Path) -> None:
    """0 fine, 1 warning, 2 critical, 3 could not tell; never a trace."""
    done = cli(*arguments)

    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


CONSOLE = "The overall deployment failed because too many individual instances failed deployment (HEALTH_CONSTRAINTS)\n"
HOOK = "Script at specified location: scripts/start.sh failed with exit code 1\n"
PRINTED = "LifecycleEvent - ApplicationStart\nScript - scripts/start.sh\n[stderr]bash: no job control in this shell\n"
POLLS = 1000 * (
    "2026-11-22T20:53:04 INFO  [codedeploy-agent(23)]: Version file found in /opt/codedeploy-agent/.version with agent"
    " version OFFICIAL_1.8.1-99_deb.\n"
)
NO_LINE = "no line is one of the agent's, of its installer's or of a hook's log"
TOLD_NOTHING = {
    "the console's summary": (["notes"], CONSOLE, 3, NO_LINE),
    "the same, typed": (["-"], CONSOLE, 3, NO_LINE),
    "a hook's words": (["notes"], PRINTED, 3, "what a hook printed, without the agent's own words, does not tell"),
    "the same on one line": (["notes"], PRINTED.replace("\n", " "), 3, "does not tell whether it failed"),
    "a failure and the hook's words": (["notes"], HOOK + PRINTED, 2, ""),
    "a failure among other words": (["notes"], CONSOLE + HOOK, 2, ""),
    "notes beside a log": (["notes", HEALTHY], CONSOLE, 0, ""),
    "an empty file": (["notes"], "", 3, "notes: is empty"),
    "blank lines": (["notes"], "\n \n\t\n", 3, "notes: is empty"),
    "room that was never written": (["notes"], "\0" * 100_000, 3, "notes: is empty"),
    "an empty variable, echoed": (["-"], "\n", 3, "-: is empty"),
    "healthy lines alone, more than are looked at singly": (["notes"], POLLS, 0, ""),
    "healthy lines alone, typed": (["-"], POLLS, 0, ""),
    "the same after a hole": (["notes"], "\0" * 100_000 + POLLS, 0, ""),
    "an empty file beside a log": (["notes", HEALTHY], "", 0, ""),
    "a command before us that gave nothing": (["-"], "", 3, "-: nothing was read"),
}


@pytest.mark.parametrize(("arguments", "text", "code", "said"), TOLD_NOTHING.values(), ids=TOLD_NOTHING)
def test_what_tells_nothing_is_no_good_news(
    arguments: list[str], text: str, code: int, said: str, cli: Cli, tmp_path: Path
) -> None:
    """That nothing was found means something where there was a log to find it in."""
    (tmp_path / "notes").write_text(text)
    done = cli("scan", *arguments, input=text)

    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert code == 3 or not done.stderr
    assert ("0 ok," in done.stdout) == (code == 3)


OF_RUNS = {
    "nothing wrong": ([HEALTHY], 0),
    "a warning": (["--config", "site.yaml", "warning.log"], 1),
    "critical": ([CRITICAL], 2),
    "a missing file": (["absent.log"], 3),
    "an unknown id": (["--only", "disk-ful", HEALTHY], 3),
}


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(("arguments", "code"), OF_RUNS.values(), ids=OF_RUNS)
def test_exit_codes_do_not_depend_on_the_format(
    arguments: list[str], code: int, format_: str, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A monitor and a script are told the same."""
    monkeypatch.chdir(site)

    assert main(["scan", "--format", format_, *arguments]) == code


NO_REPORT = {
    "an unknown id": (["check", "--only", "disk-ful"], "there is no rule 'disk-ful'"),
    "a tree that is not there": (["check", "--root", "absent"], "--root: absent: No such file"),
    "our own bug": (["scan", "-"], "failed: RuntimeError: odd (this is a bug; -v shows where)"),
}


@pytest.mark.parametrize(("arguments", "text"), NO_REPORT.values(), ids=NO_REPORT)
def test_a_monitor_is_told_why_there_is_no_report(arguments: list[str], text: str, cli: Cli, tmp_path: Path) -> None:
    """Monitors show the first line of standard output, and Icinga mixes stderr into it."""
    (tmp_path / "sitecustomize.py").write_text(
        "import agentdoctor.runs\ndef broken(*a):\n    raise RuntimeError('odd')\nagentdoctor.runs.scan = broken\n"
    )
    done = cli(*arguments, "--format", "nagios", env={"PYTHONPATH": f"{tmp_path}:{TOP}"}, input="x")

    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.startswith(f"AGENTDOCTOR UNKNOWN - {text}")
    assert done.stdout.count("\n") == 1


def test_what_a_monitor_gets_begins_with_its_state(cli: Cli, site: Path) -> None:
    """What other formats say on stderr is among its lines: a log that is not there, a broken rule of the site."""
    (site / "rules.d/bad-rule.yaml").write_text("titel: x\n")
    scanned = cli("scan", "absent.log", "--format", "nagios")
    checked = cli("check", "--config", "site.yaml", "--only", "site-rule-invalid", "--format", "nagios")

    assert (scanned.stderr, checked.stderr) == ("", "")
    assert "\n[UNKNOWN] absent.log: No such file or directory\n" in scanned.stdout
    assert checked.stdout.startswith("AGENTDOCTOR WARNING - ")


BAD_INPUT = {
    "a missing log": (
        ["scan", "warning.lgo"],
        "agentdoctor: warning.lgo: No such file or directory (did you mean 'warning.log'?)",
    ),
    "a directory": (["scan", "rules.d"], "agentdoctor: rules.d: is a directory"),
    "a program": (["scan", sys.executable], "is not a text file"),
    "an unknown verb": (["chek"], "(did you mean 'check'?)"),
    "an unknown flag": (["check", "--formt"], "(did you mean '--format'?)"),
    "an unknown format": (["check", "--format", "junti"], "(did you mean 'junit'?)"),
    "a report that cannot be written": (
        ["scan", HEALTHY, "--output", "absent/x"],
        "agentdoctor: --output: absent/x: No such file or directory",
    ),
    "a report in place of a device": (["scan", HEALTHY, "--output", os.devnull], "is not a regular file"),
    "an unknown rule": (["explain", "disk-ful"], "there is no rule 'disk-ful' (did you mean 'disk-full'?)"),
    "an unknown rule to skip": (["scan", "--skip", "clock-skw", "-"], "(did you mean 'clock-skew'?)"),
    "an unknown setting": (
        ["rules", "list", "--config", "odd.yaml"],
        "unknown key 'rule_dir' (did you mean 'rules_dir'?)",
    ),
    "settings that are no YAML": (["rules", "list", "--config", "torn.yaml"], "torn.yaml:2: "),
    "settings that are not there": (["rules", "list", "--config", "absent.yaml"], "absent.yaml: there is no such file"),
    "a broken site rule": (["rules", "list", "--config", "broken.yaml"], "left out: "),
    "a tree that is not there": (["check", "--root", str(CORPUS / "d_yaml_exd")], "(did you mean 'd_yaml_ext'?)"),
    "a record that is no record": (["check", "--root", "tree"], "agentdoctor-snapshot.json is not a record"),
}


@pytest.mark.parametrize(("arguments", "text"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_is_one_clear_line(arguments: list[str], text: str, cli: Cli, site: Path) -> None:
    """One line on stderr, with the nearest right name, and never a trace."""
    (site / "odd.yaml").write_text("rule_dir: /x\n")
    (site / "torn.yaml").write_text("rules_dir: [x\n")
    (site / "broken.d").mkdir()
    (site / "broken.d/bad-rule.yaml").write_text("titel: x\n")
    (site / "broken.yaml").write_text(f"rules_dir: {site}/broken.d\n")
    (site / "tree").mkdir()
    (site / "tree/agentdoctor-snapshot.json").write_text("[]")
    done = cli(*arguments)

    assert text in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("agentdoctor: ")


def test_unreadable_log(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is not ours to read is said to be so, and nothing is called healthy."""
    log = tmp_path / "x.log"
    log.write_text("x")
    main(["scan", str(log)])  # loads every module, which another user may not be able to read
    loaded = rules.load()  # nor these
    monkeypatch.setattr(rules, "load", lambda *_: loaded)
    capsys.readouterr()
    log.chmod(0)
    us = os.geteuid()
    try:
        if us == 0:  # root reads everything
            os.seteuid(65534)
        code = main(["scan", str(log)])
    finally:
        os.seteuid(us)
    output = capsys.readouterr()

    assert code == 3
    assert output.err == f"agentdoctor: {log}: Permission denied\n"
    assert output.out.startswith("UNKNOWN")


def test_a_broken_site_rule_is_a_finding_of_check(cli: Cli, site: Path) -> None:
    """Somebody relies on that rule."""
    (site / "rules.d/bad-rule.yaml").write_text("titel: x\n")
    done = cli("check", "--config", "site.yaml", "--only", "site-rule-invalid", "--format", "json")

    assert done.returncode == 1
    assert [x["id"] for x in json.loads(done.stdout)["findings"]] == ["site-rule-invalid"]


def test_the_report_is_as_its_schema_says(cli: Cli) -> None:
    """Every kind of report passes the schema that the program prints."""
    shape = json.loads(schema())
    jsonschema.Draft202012Validator.check_schema(shape)
    for arguments in (["scan", CRITICAL, HEALTHY], ["check", "--root", str(CORPUS / "d_yaml_ext")], ["check"]):
        report = json.loads(cli(*arguments, "--format", "json").stdout)
        jsonschema.validate(report, shape)
        assert report["summary"]["exit_code"] in (0, 1, 2, 3)


def test_every_check_appears_once(cli: Cli) -> None:
    """A row per rule, in a scan, of a tree and of this host."""
    rules = cli("rules", "list").stdout.splitlines()
    for arguments in (["scan", HEALTHY], ["check", "--root", str(CORPUS / "d_yaml_ext")], ["check"]):
        report = json.loads(cli(*arguments, "--format", "json").stdout)
        assert [row["id"] for row in report["checks"]] == [line.split()[0] for line in rules]


def test_a_copied_tree_has_no_host(cli: Cli) -> None:
    """What only a living host could show is skipped, not invented."""
    report = json.loads(cli("check", "--root", str(CORPUS / "d_yaml_ext"), "--format", "json").stdout)
    outcomes = {row["id"]: row["outcome"] for row in report["checks"]}

    assert outcomes["imds-unreachable"] == "skip"
    assert outcomes["clock-skew"] == "skip"
    assert outcomes["appspec-misnamed"] == "fail"


def test_no_network(cli: Cli, site: Path) -> None:
    """A check that would leave this host is skipped and says why; the others are as they were."""
    far = WARNING_RULE.replace(
        "signature: {any: ['INFO that warns of it']}", "standing: true\nconfirm: {PROBE: {x: 1}}"
    )
    (site / "rules.d/far-away.yaml").write_text(far.replace("PROBE", "network.commands"))
    (site / "rules.d/near-by.yaml").write_text(far.replace("PROBE", "package.version"))
    only = ("--only", "far-away", "--only", "near-by")
    report = json.loads(cli("check", "--config", "site.yaml", *only, "--no-network", "--format", "json").stdout)
    rows = {row["id"]: row for row in report["checks"]}

    assert rows["far-away"]["outcome"] == "skip"
    assert rows["far-away"]["reason"] == "network.commands: not asked: --no-network"
    assert "no-network" not in (rows["near-by"]["reason"] or "")


def test_standard_input(cli: Cli) -> None:
    """A paste through a pipe."""
    text = "Script at specified location: scripts/a.sh failed with exit code 1\n"
    done = cli("scan", "-", "--format", "json", input=text)

    assert [x["id"] for x in json.loads(done.stdout)["findings"]] == ["script-failed"]


def test_closed_pipe(tmp_path: Path) -> None:
    """A reader that leaves early is no failure of ours: no trace, no complaint."""
    command = f"{sys.executable} -m agentdoctor rules list | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}; echo ${{PIPESTATUS[0]}}"],
        capture_output=True, text=True, check=False, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(TOP)},
    )  # fmt: skip

    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 2


def test_full_pipe_closed_in_the_middle() -> None:
    """The same when much is left to write."""
    process = subprocess.Popen(
        [sys.executable, "-m", "agentdoctor", "schema", "report"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(TOP)},
    )  # fmt: skip
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()

    assert process.wait() == 3
    assert error == b""


def test_a_crash_of_ours_is_one_line_and_3(cli: Cli, tmp_path: Path) -> None:
    """A bug is said to be one, and -v shows where."""
    (tmp_path / "sitecustomize.py").write_text(
        "import agentdoctor.runs\ndef broken(*a):\n    raise RuntimeError('odd')\nagentdoctor.runs.scan = broken\n"
    )
    env = {"PYTHONPATH": f"{tmp_path}:{TOP}"}
    done = cli("scan", "-", env=env, input="x")
    verbose = cli("scan", "-v", "-", env=env, input="x")

    assert (done.returncode, verbose.returncode) == (3, 3)
    assert done.stderr == "agentdoctor: failed: RuntimeError: odd (this is a bug; -v shows where)\n"
    assert "Traceback" in verbose.stderr


def test_ascii_where_the_locale_is(cli: Cli) -> None:
    """What the terminal cannot show is escaped, and nothing fails."""
    text = "Script at specified location: scripts/größe.sh failed with exit code 1\n"
    done = cli("scan", "-", env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}, input="x")
    assert done.returncode == 3

    raw = subprocess.run(
        [sys.executable, "-m", "agentdoctor", "scan", "-"],
        input=text.encode(), capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": str(TOP), "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert raw.returncode == 2
    assert raw.stdout.isascii()
    assert rb"gr\xf6\xdfe.sh" in raw.stdout


def test_what_is_printed_does_not_depend_on_the_terminal(cli: Cli) -> None:
    """Only the colour does."""
    assert "\x1b" not in cli("scan", CRITICAL).stdout


def test_site_rules_can_be_tested(cli: Cli, site: Path) -> None:
    """rules test runs the samples of rules.d too."""
    sample = "samples:\n  - {agent: 1.8.1, text: '2026-11-22T21:02:37 WARN  [x(1)]: all is well'}\n"
    (site / "rules.d/poll-seen.yaml").write_text(WARNING_RULE + sample)
    done = cli("rules", "test", "--config", "site.yaml", "poll-seen")

    assert done.returncode == 2
    assert "sample 1 is not matched" in done.stdout
