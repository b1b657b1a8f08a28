"""Which files are the rolled parts of which log."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agentdoctor.families import families
from agentdoctor.host import Host

AGENT = {
    "by agent 1.x": ("codedeploy-agent.20261126.log", True),
    "by agent 2.x, the second of a day": ("codedeploy-agent.20261126.1.log", True),
    "by logrotate": ("codedeploy-agent.log.1", True),
    "by logrotate with dateext": ("codedeploy-agent.log-20261126", True),
    "the live one": ("codedeploy-agent.log", False),
    "packed": ("codedeploy-agent.log.2.gz", False),
    "being copied": ("codedeploy-agent.log._copy_", False),
    "of the updater": ("codedeploy-agent-updater.log.1", False),
    "of an editor": ("codedeploy-agent.log.bak", False),
}


@pytest.mark.parametrize(("name", "rolled"), AGENT.values(), ids=AGENT)
def test_rolled_files_of_the_agent_log(tmp_path: Path, name: str, rolled: bool) -> None:
    """By whomever it is rolled, what was not read yet is looked for there."""
    (agent,) = (family for family in families(Host.at(str(tmp_path))) if family.kind == "agent")

    assert bool(re.fullmatch(agent.archives, name)) == rolled
