"""The action of GitHub: its steps as written. ``make hosts`` runs the one that sets it up too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from bundle.packing import HEAD, pack

from agentdoctor.arguments import LINT_FORMATS
from linting.action import ACTION, SHELL, STEPS, TOP, environment
from linting.readers import sarif, workflow

HOOK = "hooks:\n  AfterInstall:\n    - location: scripts/a.sh\n"


def lint(temp: Path, workspace: Path, inputs: dict[str, str]) -> tuple[int, str, str]:
    """Exit code, output and what the step tells the next ones."""
    home = temp / "agentdoctor/bin"
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "python").exists():
        # The environment of the tests stands for the one that the first step makes.
        (home / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (home / "python").chmod(0o755)
    script, output = temp / "step.sh", temp / "output"
    script.write_text(STEPS[1]["run"])
    output.write_text("")
    told = {"RUNNER_TEMP": str(temp), "GITHUB_OUTPUT": str(output), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [*SHELL, str(script)],
        cwd=workspace,
        env={**told, **environment(STEPS[1], inputs, str(TOP))},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr, output.read_text()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A checkout whose script is missing."""
    return pack("directory", {"deploy/appspec.yml": HEAD + HOOK}, tmp_path)


def test_it_annotates_and_fails(workspace: Path, tmp_path: Path) -> None:
    """At the line in the repository."""
    code, out, output = lint(tmp_path, workspace, {"path": "deploy"})
    (command, *_), _ = workflow(out)

    assert (code, output) == (2, "exit-code=2\n")
    assert (command.name, command.properties["file"], command.properties["line"]) == (
        "error",
        "deploy/appspec.yml",
        "5",
    )


def test_every_input_counts(workspace: Path, tmp_path: Path) -> None:
    """Each makes a difference."""
    (workspace / "deploy/scripts").mkdir()
    (workspace / "deploy/scripts/a.sh").write_bytes(b"#!/opt/x\necho\n")

    assert lint(tmp_path, workspace, {"path": "deploy"})[0] == 1
    assert lint(tmp_path, workspace, {"path": "deploy", "fail-on": "critical"})[0] == 0
    assert lint(tmp_path, workspace, {"path": "deploy", "appspec-only": "true"})[0] == 0
    assert "agent 1.8\n" in lint(tmp_path, workspace, {"path": "deploy", "agent": "1.8", "format": "text"})[1]
    assert "3.1 and later" in lint(tmp_path, workspace, {"path": "deploy", "ruby": "3.1", "format": "json"})[1]


@pytest.mark.parametrize(("path", "code"), [("deploy", 2), ("nowhere", 3)])
def test_sarif_beside_the_annotations(path: str, code: int, workspace: Path, tmp_path: Path) -> None:
    """The exit code stays that of the findings; where nothing could be judged, no file is pretended."""
    found, _, output = lint(tmp_path, workspace, {"path": path, "sarif-file": "out.sarif"})

    assert (found, output) == (code, f"exit-code={code}\n")
    assert (workspace / "out.sarif").exists() is (code == 2)
    assert code == 3 or sarif((workspace / "out.sarif").read_text())["results"]


@pytest.mark.parametrize(
    "text", ["$(touch pwned)", "`touch pwned`", '"; touch pwned; "', "--config=/etc/shadow", "x\ntouch pwned", "-", "*"]
)
@pytest.mark.parametrize("name", sorted(ACTION["inputs"]))
def test_an_input_is_never_a_command(name: str, text: str, workspace: Path, tmp_path: Path) -> None:
    """Whatever somebody writes there."""
    code, _, _ = lint(tmp_path, workspace, {"path": "deploy", name: text})

    assert code in (2, 3) or (name == "path" and text == "-")
    assert not list(workspace.rglob("pwned"))


def test_modules_of_the_repository_are_not_run(workspace: Path, tmp_path: Path) -> None:
    """They may be those of a stranger's pull request."""
    for name in ("yaml.py", "agentdoctor.py", "sitecustomize.py"):
        (workspace / name).write_text("raise SystemExit('pwned')\n")

    code, out, _ = lint(tmp_path, workspace, {"path": "deploy"})

    assert (code, "pwned" in out) == (2, False)


def test_the_file_itself() -> None:
    """No expression reaches a script; what it says of inputs is what there is."""
    for step in STEPS:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]
        assert "::set-output" not in step["run"]
    assert set(re.findall(r"\binputs\.([\w-]+)", (TOP / "action.yml").read_text())) == set(ACTION["inputs"])
    assert all(format_ in ACTION["inputs"]["format"]["description"] for format_ in LINT_FORMATS)
    readme = (TOP / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in readme for name in ACTION["inputs"])


def test_the_hook_of_pre_commit() -> None:
    """It starts what the package installs."""
    (hook,) = yaml.safe_load((TOP / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    program, verb = hook["entry"].split()

    assert (hook["id"], hook["language"], hook["pass_filenames"]) == ("agentdoctor-lint", "python", False)
    assert f'{program} = "agentdoctor.cli:main_script"' in (TOP / "pyproject.toml").read_text(encoding="utf-8")
    assert verb == "lint"
