"""agentdoctor lint, as it is typed: what it prints, and its exit code."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest

from agentdoctor.appspec.allowing import Allowed, comments
from agentdoctor.cli import main

GOOD = "version: 0.0\nos: linux\n"
WARNED = GOOD + "hooks:\n  AfterInstall:\n    - {location: a.sh, timeout: 5m}\n"
REFUSED = "version: 0.0\nos: Linux\n"
ALIAS = GOOD + "x: &x [{location: a.sh}]\nhooks:\n  AfterInstall: *x\n"


@pytest.fixture
def appspec(tmp_path: Path) -> Path:
    return tmp_path / "appspec.yml"


CODES = {
    "well": (GOOD, [], 0),
    "a warning": (WARNED, ["--agent", "1.8"], 1),
    "a warning that does not count": (WARNED, ["--agent", "1.8", "--fail-on", "critical"], 0),
    "a rule that is left out": (WARNED, ["--skip", "appspec-hook-invalid"], 0),
    "refused by one target": (WARNED, ["--agent", "2.x"], 2),
    "refused": (REFUSED, [], 2),
    "refused, and only another rule asked for": (REFUSED, ["--only", "appspec-empty"], 0),
    "an alias, to Ruby up to 3.0": (ALIAS, ["--ruby", "3.0"], 0),
    "an alias, to Ruby from 3.1 on": (ALIAS, ["--ruby", "3.1"], 2),
    "a comment that is wrong": (GOOD + "# agentdoctor: ignore appspec-empty\n", [], 3),
    "a Ruby for the agent that has none": (GOOD, ["--agent", "2.x", "--ruby", "3.0"], 3),
}


@pytest.mark.parametrize(("text", "arguments", "code"), CODES.values(), ids=CODES)
@pytest.mark.parametrize("format_", ["text", "json"])
def test_exit_codes(text: str, arguments: list[str], code: int, format_: str, appspec: Path) -> None:
    """The same in each format."""
    appspec.write_text(text)

    assert main(["lint", str(appspec), "--format", format_, *arguments]) == code


def test_json(appspec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each finding with its place, its targets, and what to do."""
    appspec.write_text(WARNED)

    main(["lint", str(appspec), "--format", "json", "--agent", "1.8"])

    report = json.loads(capsys.readouterr().out)
    (finding,) = report.pop("findings")
    assert (report["schema"], report["kind"], report["summary"]["status"]) == (
        "agentdoctor.lint/1",
        "appspec",
        "warning",
    )
    assert (finding["id"], finding["line"], finding["column"]) == ("appspec-hook-invalid", 5, 33)
    assert finding["targets"] == report["targets"] == ["1.8 with Ruby up to 3.0", "1.8 with Ruby 3.1 and later"]
    assert finding["text"] == "timeout is '5m', which is 5 s to agent 1.x"
    assert finding["remediation"][0]["where"] == "repository"


def test_a_difference_between_targets_is_said(appspec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who refuses it."""
    appspec.write_text(ALIAS)

    main(["lint", str(appspec)])

    assert "agent 1.8 with Ruby 3.1 and later" in " ".join(capsys.readouterr().out.split())


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a file."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(REFUSED.encode())))

    assert main(["lint", "-"]) == 2


def test_a_pipe(tmp_path: Path) -> None:
    """As a shell makes one of <(...): what it holds is read once."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as file:
        file.write(REFUSED.encode())

    assert main(["lint", f"/dev/fd/{reader}"]) == 2
    os.close(reader)


def test_the_appspec_alone(tmp_path: Path, appspec: Path) -> None:
    """Without the bundle, in which the script is missing."""
    appspec.write_text(WARNED.replace("5m", "5"))

    assert main(["lint", str(tmp_path)]) == 2
    assert main(["lint", str(tmp_path), "--appspec-only"]) == 0


def test_the_nearest_name_of_what_is_not_there(appspec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As everywhere."""
    appspec.write_text(GOOD)

    assert main(["lint", str(appspec.with_name("appspek.yml"))]) == 3
    assert "did you mean" in capsys.readouterr().err


def test_nothing_of_a_file_reaches_the_terminal_raw(appspec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither an escape sequence nor text that turns about."""
    appspec.write_text(GOOD + 'hooks: {"\\e[31mX\\u202e": [{location: "\\e]0;x\\a"}]}\n', encoding="utf-8")

    main(["lint", str(appspec)])

    out = capsys.readouterr().out
    assert "hook-unknown" in out
    assert not set("\x1b\x07\u202e") & set(out)


HOST = {
    "a group for no host": (["--deployment-group-id", "g-1"], "is for --against-host"),
    "standard input": (["--against-host", "-"], "needs the bundle"),
    "the AppSpec alone": (["--against-host", "--appspec-only"], "needs the bundle"),
    "an AppSpec": (["--against-host", "appspec.yml"], "appspec.yml is an AppSpec alone"),
    "a group that is not here": (["--against-host", "--deployment-group-id", "g-1"], "no deployment group 'g-1' has"),
}


@pytest.mark.parametrize(("arguments", "words"), HOST.values(), ids=HOST)
def test_what_the_host_cannot_be_asked(
    arguments: list[str], words: str, appspec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A clear error, and nothing judged."""
    appspec.write_text(GOOD)
    monkeypatch.chdir(appspec.parent)

    assert main(["lint", *arguments]) == 3

    captured = capsys.readouterr()
    assert (captured.out, words in captured.err) == ("", True), captured.err


def test_against_a_copied_tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It cannot tell what else its host has, so the exit code is 3 where nothing worse is known."""
    (tmp_path / "root").mkdir()
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "appspec.yml").write_text(GOOD)
    config = tmp_path / "agentdoctor.yaml"
    config.write_text(f"root: {tmp_path / 'root'}\n")

    assert main(["lint", str(bundle), "--against-host", "--config", str(config)]) == 3
    out = " ".join(capsys.readouterr().out.split())
    assert "what stands at the destinations" in out
    assert "and this host, a group that is new here" in out


PLACES = {
    "behind a value": ("a: 1 # {}\n", 1),
    "above a value": ("a: 1\n# {}\n\nb: 2\n", 4),
    "above a value, among others": ("a: 1\n# {}\n# x\nb: 2\n", 4),
    "above everything": ("# {}\n\na: 1\n", 0),
    "above the first value": ("# {}\na: 1\n", 2),
    "below the last": ("a: 1\n# {}\n", 0),
    "alone": ("# {}\n", 0),
}


@pytest.mark.parametrize(("text", "line"), PLACES.values(), ids=PLACES)
def test_where_a_comment_counts(text: str, line: int) -> None:
    """The line it counts for; 0 is the whole file."""
    raw = text.format("agentdoctor: ignore appspec-empty -- it is").encode()

    assert comments(raw, ["appspec-empty"]) == ([Allowed("appspec-empty", "it is", line)], [])


WRONG = {
    "no reason": ("agentdoctor: ignore appspec-empty", "needs a reason"),
    "an empty reason": ("agentdoctor: ignore appspec-empty -- ", "needs a reason"),
    "no such rule": ("agentdoctor: ignore appspec-emty -- it is", "did you mean 'appspec-empty'"),
    "another word": ("agentdoctor: allow appspec-empty -- it is", "not understood"),
}


@pytest.mark.parametrize(("comment", "words"), WRONG.values(), ids=WRONG)
def test_a_comment_that_counts_for_nothing_is_an_error(comment: str, words: str) -> None:
    """With its line."""
    found, (error,) = comments(f"a: 1\n# {comment}\n".encode(), ["appspec-empty"])

    assert (found, error.startswith("line 2: "), words in error) == ([], True, True)
