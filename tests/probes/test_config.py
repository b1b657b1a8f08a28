"""The agent's configuration file, judged by what the agent refuses."""

from __future__ import annotations

from pathlib import Path

from agentdoctor.model import Outcome

from .conftest import ask, cases, value, write

FILE = "/etc/codedeploy-agent/conf/codedeployagent.yml"
FILES = [
    ("as shipped", ":log_dir: '/var/log/aws/codedeploy-agent/'\n:max_revisions: 5\n", True, ""),
    ("keys without the colon", "max_revisions: 1\nchildren: 1\n", True, ""),
    ("torn", ":log_dir: '/var/log\n", False, "unexpected end of stream"),
    ("no map", "- a\n", False, "not a map"),
    ("no revisions kept", ":max_revisions: 0\n", False, "max_revisions is 0"),
    ("revisions in words", ":max_revisions: five\n", False, "max_revisions is 'five'"),
    ("two children", ":children: 2\n", False, "children is 2"),
    ("a file for a folder", f":log_dir: {FILE}\n", False, "is a file"),
]


@cases(FILES)
def test_file(tmp_path: Path, text: str, valid: bool, problem: str) -> None:
    seen = value("config.agent", write(tmp_path, {FILE: text}))
    assert seen["valid"] is valid
    assert problem in seen["problem"]


def test_no_file_is_not_judged(tmp_path: Path) -> None:
    assert ask("config.agent", write(tmp_path, {})).outcome is Outcome.SKIP
