"""What lint writes for programs: each format against its published rules, whatever the names in the bundle are."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import consumers
import jsonschema
import pytest
from bundle.packing import HEAD, pack
from hypothesis import given, settings
from hypothesis import strategies as st

from agentdoctor import rules
from agentdoctor.appspec.finding import RUBIES, TARGETS, Problem
from agentdoctor.arguments import LINT_FORMATS
from agentdoctor.cli import main
from agentdoctor.model import Severity
from agentdoctor.report.lint import Lint
from agentdoctor.verbs.output import rendered
from linting.readers import own, sarif, workflow

RULES = {rule.id: rule for rule in rules.load().rules}
PROBLEMS = [
    Problem("script-missing", "the script 'a' is not in the bundle", 5, 17, "appspec.yml"),
    Problem("appspec-hook-invalid", "timeout is '5m'", 9, 3, "appspec.yml", Severity.WARNING, RUBIES),
    Problem("appspec-key-ignored", "nobody reads it", 2, 1, "appspec.yml", Severity.INFO),
    Problem("script-line-endings", "CR and LF", 1, 1, "scripts/a.sh", Severity.WARNING, allowed="for Windows"),
    Problem("bundle-corrupt", "names are longer than Linux takes: x"),
]
RUN = Lint("bundle", "directory", PROBLEMS, RULES, TARGETS, base="bundle", file="bundle")
NOTHING = replace(RUN, problems=[])
ERRORS = replace(NOTHING, errors=["it has more than 100000 entries", "appspec.yml: line 3: a reason is missing"])
HOSTILE = (
    "a:b,c%0Ad\n::error::x",
    "##[error]x",
    "\x1b[31mred\x07",
    "caf\udce9 ",
    "</failure>&]]>\x00\ufffe",
    "C:\\x",
    "\u202eabc",
    "\ud800",
)


def hostile(text: str) -> Lint:
    """The same run with this text wherever a stranger may put one."""
    problems = [
        replace(p, text=text, path=text, allowed=p.allowed and f"x {text}", details={"path": text}) for p in PROBLEMS
    ]
    return replace(RUN, path=text, base=text, file=text, problems=problems, errors=[text])


RUNS = {
    "everything": RUN,
    "nothing": NOTHING,
    "errors": ERRORS,
    "an archive": replace(RUN, kind="zip", path="b.zip", base=None, file="b.zip"),
    "standard input": replace(RUN, path="-", kind="appspec", base=""),
    "a host": replace(RUN, group="g-1"),
    "a host, and a new group": replace(RUN, group=""),
    **{f"hostile {number}": hostile(text) for number, text in enumerate(HOSTILE)},
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_every_reader_takes_it(run: Lint) -> None:
    """By the rules that each format was published with."""
    log, (commands, others) = sarif(rendered(run, "sarif")), workflow(rendered(run, "github"))
    cases = consumers.junit(rendered(run, "junit"))

    assert len(log["results"]) == len(run.problems)
    assert len(commands) == len(run.active) + len(run.errors)
    assert len(others) == 1
    assert len(cases) == max(1, len(run.problems) + len(run.errors))
    assert len(own(rendered(run, "json"))["findings"]) == len(run.problems)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_no_text_breaks_out(text: str) -> None:
    """Nor does it show a secret, obey a terminal, or make a command of its own."""
    run = hostile(text)
    commands, _ = workflow(rendered(run, "github"))

    assert [command.name for command in commands] == ["error", "error", "warning", "notice", "error"]
    assert all(set(command.properties) <= {"file", "line", "col", "title"} for command in commands)
    sarif(rendered(run, "sarif"))
    consumers.junit(rendered(run, "junit"))


def test_sarif_says_all_of_it() -> None:
    """Levels, places, who allows what, and whether all was judged."""
    log, broken = sarif(rendered(RUN, "sarif")), sarif(rendered(ERRORS, "sarif"))
    first, second, third, fourth, last = log["results"]
    place = first["locations"][0]["physicalLocation"]

    assert place["artifactLocation"] == {"uri": "bundle/appspec.yml", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 5, "startColumn": 17}
    assert [result["level"] for result in (first, second, third)] == ["error", "warning", "note"]
    assert second["message"]["text"].endswith("[agent 1.8]")
    assert fourth["suppressions"][0]["justification"] == "for Windows"
    assert "region" not in last["locations"][0]["physicalLocation"]
    assert log["invocations"][0] == {"executionSuccessful": True, "exitCode": 2}
    assert [note["message"]["text"] for note in broken["invocations"][0]["toolExecutionNotifications"]] == ERRORS.errors
    assert not broken["invocations"][0]["executionSuccessful"]
    described = {rule["id"]: rule for rule in log["tool"]["driver"]["rules"]}
    assert described["script-missing"]["helpUri"].startswith("https://docs.aws.amazon.com/")
    assert "What to do" in described["script-missing"]["help"]["text"]


def test_a_fingerprint_outlives_lines_above_it() -> None:
    """And differs between two equal problems."""
    moved = replace(RUN, problems=[replace(PROBLEMS[0], line=50), replace(PROBLEMS[0], line=60)])
    prints = [
        [result["partialFingerprints"] for result in sarif(rendered(run, "sarif"))["results"]] for run in (RUN, moved)
    ]

    assert prints[0][0] == prints[1][0] != prints[1][1]


@pytest.mark.parametrize("change", [{"level": "fatal"}, {"message": "text"}, {"colour": 1}], ids=str)
def test_the_schema_of_sarif_refuses(change: dict[str, object]) -> None:
    """So that its silence means something."""
    log = json.loads(rendered(RUN, "sarif"))
    log["runs"][0]["results"][0].update(change)

    with pytest.raises(jsonschema.ValidationError):
        sarif(json.dumps(log))


def test_annotations_are_at_their_line() -> None:
    """Of what nobody allows; what lies in an archive has no line that GitHub could show."""
    commands, (last,) = workflow(rendered(RUN, "github"))
    (packed, *_), _ = workflow(rendered(RUNS["an archive"], "github"))

    assert (commands[0].name, commands[0].properties) == (
        "error",
        {
            "file": "bundle/appspec.yml",
            "line": "5",
            "col": "17",
            "title": "script-missing: A hook script is not in the bundle",
        },
    )
    assert commands[0].message.startswith("the script 'a' is not in the bundle\nFix: ")
    assert (packed.properties["file"], "line" in packed.properties) == ("b.zip", False)
    assert packed.message.startswith("appspec.yml:5:17: the script 'a'")
    assert last == "agentdoctor lint: 2 critical, 1 warning, 1 info, 1 ignored"


def test_a_command_is_escaped_exactly() -> None:
    """As the toolkit of GitHub does it: %, CR and LF everywhere, : and , in properties too."""
    run = replace(RUN, base="", problems=[Problem("script-missing", "50%: a, b", 1, 1, "50%:a,b/x.yml")])

    row = rendered(run, "github").splitlines()[0]

    assert row.startswith("::error file=50%25%3Aa%2Cb/x.yml,line=1,col=1,title=script-missing%3A A hook script")
    assert "::50%25: a, b%0AFix: " in row


@pytest.mark.parametrize("fail_on", Severity)
@pytest.mark.parametrize("run", [RUN, NOTHING, ERRORS, replace(RUN, problems=PROBLEMS[2:4])], ids=lambda r: r.status)
def test_junit_is_red_exactly_when_the_exit_code_is(run: Lint, fail_on: Severity) -> None:
    """Failures for what counts, errors for what was not judged."""
    run = replace(run, fail_on=fail_on)
    tags = [tag for tag, _ in consumers.junit(rendered(run, "junit")).values()]

    assert bool({"failure", "error"} & set(tags)) is bool(run.exit_code)
    assert ("failure" in tags) is (run.exit_code in (1, 2))


def test_xmllint(tmp_path: Path) -> None:
    """Against the schema of the flavour that check writes too."""
    schema = Path(__file__).parent.parent / "junit.xsd"
    command = [consumers.tool("xmllint"), "--noout", "--nonet", "--schema", str(schema)]
    for number, run in enumerate(RUNS.values()):
        path = tmp_path / f"{number}.xml"
        path.write_text(rendered(run, "junit"), encoding="ascii")
        done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


HOOKED = HEAD + "hooks:\n  AfterInstall:\n    - location: a.sh\n"


@pytest.mark.parametrize("wrapped", ["", "app-1.0/"], ids=["plain", "in a folder of its own"])
@pytest.mark.parametrize("absolute", [False, True], ids=["relative", "absolute"])
def test_the_path_is_that_of_the_file(
    wrapped: str, absolute: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the directory where lint was run."""
    top = pack("directory", {f"{wrapped}appspec.yml": HOOKED}, tmp_path)
    monkeypatch.chdir(tmp_path)

    assert main(["lint", str(top) if absolute else top.name, "--format", "github"]) == 2

    ((command, *_), _) = workflow(capsys.readouterr().out)
    assert command.properties["file"] == f"bundle/{wrapped}appspec.yml"
    assert os.path.exists(command.properties["file"])


@pytest.mark.parametrize("format_", LINT_FORMATS)
def test_into_a_file(format_: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For the next step of a build, which may be another user."""
    top, out = pack("directory", {"appspec.yml": HOOKED}, tmp_path), tmp_path / "out"

    assert main(["lint", str(top), "--format", format_, "--output", str(out)]) == 2

    assert capsys.readouterr().out == ""
    assert "script-missing" in out.read_text(encoding="utf-8")
    assert out.stat().st_mode & 0o777 == 0o644
