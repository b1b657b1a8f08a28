"""config show: what is in force, and where it comes from."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agentdoctor import settings
from agentdoctor.cli import main
from agentdoctor.settings import KEYS, SettingsError

Cli = Callable[..., subprocess.CompletedProcess[str]]

ARN = "arn:aws:sns:eu-west-1:123456789012:codedeploy-alerts"
SOME = f"""\
# alerts
sns:
  topic_arn: {ARN}

  fleet_size: 200
state_dir: null
root: ''
"""


def test_text(cli: Cli, tmp_path: Path) -> None:
    """A line for each setting: the line of the file where it stands there, default where it does not."""
    (tmp_path / "some.yaml").write_text(SOME)
    done = cli("config", "show", "--config", "some.yaml")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "settings: some.yaml, named on the command line",
        "",
        "root                 /                                                     default",
        "rules_dir            /etc/agentdoctor/rules.d                              default",
        "state_dir            /var/lib/agentdoctor                                  default",
        "imds.endpoint        http://169.254.169.254                                default",
        f"sns.topic_arn        {ARN}  some.yaml:3",
        "sns.endpoint_url     -                                                     default",
        "sns.fleet_size       200                                                   some.yaml:5",
        "prometheus.textfile  -                                                     default",
    ]


def test_json(cli: Cli, tmp_path: Path) -> None:
    """The same for programs; what nobody sets and has no default is null."""
    (tmp_path / "some.yaml").write_text(SOME)
    shown = json.loads(cli("config", "show", "--config", "some.yaml", "--format", "json").stdout)
    rows = {row.pop("name"): row for row in shown["settings"]}

    assert shown["schema"] == "agentdoctor.config/1"
    assert shown["file"] == {"path": "some.yaml", "origin": "command line", "exists": True}
    assert list(rows) == [key.name for key in KEYS]
    assert rows["sns.topic_arn"] == {"value": ARN, "line": 3, "origin": "file"}
    assert rows["sns.endpoint_url"] == {"value": None, "line": None, "origin": "default"}
    assert rows["root"] == {"value": "/", "line": None, "origin": "default"}


@pytest.mark.parametrize("there", [True, False])
def test_the_default_file(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be absent: everything has its default."""
    path = tmp_path / "agentdoctor.yaml"
    if there:
        path.write_text("rules_dir: /srv/rules\n")
    monkeypatch.setattr("agentdoctor.settings.DEFAULT_PATH", str(path))
    monkeypatch.setattr("agentdoctor.verbs.configuring.DEFAULT_PATH", str(path))

    assert main(["config", "show"]) == 0
    head, _, *rows = capsys.readouterr().out.splitlines()
    absent = "" if there else "; there is none, so everything has its default"
    assert head == f"settings: {path}, the default file{absent}"
    assert rows[1].endswith(f"{path}:1" if there else "default")


WRONG = {
    "an unknown key": ("sns:\n  topic: x\n", "wrong.yaml:2: unknown key 'sns.topic' (did you mean 'sns.topic_arn'?)"),
    "a value that does not fit": ("\nroot: tree\n", "wrong.yaml:2: root: must be an absolute path"),
    "no YAML": ("root: [\n", "wrong.yaml:2: "),
}


@pytest.mark.parametrize(("text", "problem"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_file_that_cannot_be_used(text: str, problem: str, form: str, cli: Cli, tmp_path: Path) -> None:
    """One line on stderr, nothing on stdout, exit code 3."""
    (tmp_path / "wrong.yaml").write_text(text)
    done = cli("config", "show", "--config", "wrong.yaml", "--format", form)

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"agentdoctor: {problem}")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["absent.yaml", "."])
def test_a_file_that_cannot_be_read(name: str, cli: Cli) -> None:
    """It was named, so it must be there, and be a file."""
    done = cli("config", "show", "--config", name)

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"agentdoctor: {name}: ")


def test_no_secret_and_no_control_character(cli: Cli, tmp_path: Path) -> None:
    """Nobody should keep one there; who does is not told on."""
    (tmp_path / "some.yaml").write_text('sns: {endpoint_url: "https://h/?password=hunter22"}\nrules_dir: "a\\e[2Jb"\n')
    for form in ("text", "json"):
        shown = cli("config", "show", "--config", "some.yaml", "--format", form).stdout
        assert "https://h" in shown
        assert "hunter22" not in shown
        assert "\x1b" not in shown

    (tmp_path / "some.yaml").write_text("sns: {endpoint_url: 'https://user:hunter22@h'}\n")
    done = cli("config", "show", "--config", "some.yaml")
    assert done.returncode == 3
    assert "hunter22" not in done.stderr


def test_what_is_shown_is_what_is_used(tmp_path: Path) -> None:
    """A file that config show takes is one that the others take: it asks the same function."""
    (tmp_path / "x.yaml").write_text("sns: {fleet_size: 0}")
    with pytest.raises(SettingsError):
        settings.load(str(tmp_path / "x.yaml"))
    assert main(["config", "show", "--config", str(tmp_path / "x.yaml")]) == 3
