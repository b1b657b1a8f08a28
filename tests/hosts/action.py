"""The action of GitHub, set up and run by its own steps on a plain Debian that has nothing of ours.

Run by ``make hosts``, as root. There is no network in there, so pip is told where the wheels lie; what it installs is
what the lock names, by its hash, and the steps are those of action.yml, word by word.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from machine import ROOT, TOP

sys.path.insert(0, str(TOP / "tests"))

from linting.action import SHELL, STEPS, environment
from linting.readers import sarif, workflow

WHEELS = TOP / ".hosts/wheels"
HEAD = "version: 0.0\nos: linux\nhooks:\n  AfterInstall:\n    - location: scripts/a.sh\n"
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}


@pytest.fixture(scope="module")
def wheels() -> Path:
    """What the lock names, for the Python of the root; fetched once."""
    version = (ROOT / "usr/bin/python3").readlink().name.removeprefix("python")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    target = ["--require-hashes", "--only-binary", ":all:", "--python-version", version, "--implementation", "cp"]
    platforms = [f"--platform=manylinux{tag}_{platform.machine()}" for tag in ("2014", "_2_17", "_2_28")]
    lock = ["-r", str(TOP / "requirements-lint.lock"), "-d", str(WHEELS)]
    WHEELS.mkdir(exist_ok=True)
    fetch = [*command, *target, *platforms, *lock]
    if subprocess.run([*fetch, "--no-index", f"--find-links={WHEELS}"], capture_output=True, check=False).returncode:
        subprocess.run(fetch, check=True)
    return WHEELS


class Runner:
    """One job: its folders, and the steps that run in it."""

    def __init__(self, place: Path, wheels: Path) -> None:
        self.workspace, self.temp, self._wheels = place / "workspace", place / "temp", wheels
        for folder in (self.workspace, self.temp):
            folder.mkdir()

    def step(self, number: int, **inputs: str) -> subprocess.CompletedProcess[str]:
        """Run a step of the action; ``out`` in its temporary folder holds what it tells the next ones."""
        (self.temp / "step.sh").write_text(STEPS[number]["run"])
        (self.temp / "out").write_text("")
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        told = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": "/action",
            "GITHUB_WORKSPACE": "/workspace",
            "GITHUB_OUTPUT": "/temp/out",
            "RUNNER_TEMP": "/temp",
            "HOME": "/root",
            **OFFLINE,
            **environment(STEPS[number], given, "/action"),
        }
        return subprocess.run(
            [
                *("systemd-nspawn", "--quiet", "--volatile=overlay", "--register=no", "--keep-unit"),
                *("--private-network", "--pipe", "-D", str(ROOT), "--chdir=/workspace"),
                *(f"--bind-ro={TOP}:/action", f"--bind-ro={self._wheels}:/wheels"),
                *(f"--bind={self.workspace}:/workspace", f"--bind={self.temp}:/temp"),
                *(f"--setenv={name}={value}" for name, value in told.items()),
                *("sh", "-c", 'exec "$@" 2>/temp/errors', "sh", *SHELL, "/temp/step.sh"),
            ],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def errors(self) -> str:
        """What the last step said on standard error; systemd-nspawn has words of its own there."""
        return (self.temp / "errors").read_text()


@pytest.fixture(scope="module")
def runner(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """A job whose action is set up."""
    job = Runner(tmp_path_factory.mktemp("job"), wheels)
    done = job.step(0)
    assert done.returncode == 0, done.stdout + job.errors()
    return job


def test_it_annotates_what_the_agent_will_refuse(runner: Runner) -> None:
    """From the set-up to the annotation, the file for the upload, and the exit code."""
    deploy = runner.workspace / "deploy"
    deploy.mkdir()
    (deploy / "appspec.yml").write_text(HEAD)

    done = runner.step(1, path="deploy", sarif_file="lint.sarif")
    (command, *_), _ = workflow(done.stdout)

    assert (done.returncode, runner.errors()) == (2, "")
    assert (command.name, command.properties["file"], command.properties["line"]) == (
        "error",
        "deploy/appspec.yml",
        "5",
    )
    assert (runner.temp / "out").read_text() == "exit-code=2\n"
    assert sarif((runner.workspace / "lint.sarif").read_text())["results"]


def test_it_passes_what_is_well(runner: Runner) -> None:
    """In the same job."""
    well = runner.workspace / "well/scripts"
    well.mkdir(parents=True)
    (well.parent / "appspec.yml").write_text(HEAD)
    (well / "a.sh").write_text("#!/bin/sh\n")
    os.chmod(well / "a.sh", 0o755)

    done = runner.step(1, path="well")

    assert (done.returncode, runner.errors()) == (0, "")
    assert workflow(done.stdout) == ([], ["agentdoctor lint: 0 critical, 0 warning, 0 info, 0 ignored"])


def test_nothing_of_the_machine_is_needed(runner: Runner) -> None:
    """It is the interpreter of the set-up that runs, with PyYAML alone."""
    listed = sorted(path.name for path in (runner.temp / "agentdoctor").glob("lib/python*/site-packages/*.dist-info"))

    assert [name.partition("-")[0].lower() for name in listed] == ["pip", "pyyaml", "setuptools"]
