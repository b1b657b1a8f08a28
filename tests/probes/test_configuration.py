"""The agent's settings without a YAML reader, where that gives the same."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agentdoctor.probes import _configuration

SHIPPED = """---
:log_aws_wire: false
:log_dir: '/var/log/aws/codedeploy-agent/'
:pid_dir: '/opt/codedeploy-agent/state/.pid/'
:program_name: "codedeploy-agent"
# a comment
:root_dir: /opt/codedeploy-agent/deployment-root
:wait_between_runs: 1
:proxy_uri:

:max_revisions: 5
"""
KEYS = st.sampled_from([":log_dir", "log_dir", ":max_revisions", "yes", ":yes", "on", "null", ":a", "user", "0x1", "~"])
# One a line, the blanks that begin and end it included.
VALUES = st.sampled_from(
    r"""
 5
 5
 0
 007
 0o7
 1_000
 true
 True
 yes
 off
 offer
 some-word
 Some word
 'a b'
 'it''s'
 "x"
 "\n"
 /a/b
 /a: b
 /a #b
 '/x' # why
 1.5
 1:30
 2026-11-22
 ~
 null
 [a]
 {a: b}
 *a
 &a b
 !!str 1
 |
 >
 - a
x
""".split("\n")
)
LINES = st.builds(lambda key, value: f"{key}:{value}", KEYS, VALUES) | st.sampled_from(
    ["", "# why", "---", "...", " x: 1"]
)


def by_yaml(text: str) -> object:
    """What the reader makes of it, or that it refuses."""
    try:
        return next(yaml.load_all(text, Loader=yaml.SafeLoader), None)
    except (yaml.YAMLError, ValueError):
        return "refused"


@given(st.lists(LINES, max_size=6).map(lambda lines: "".join(f"{line}\n" for line in lines)))
def test_the_short_way_gives_the_same(text: str) -> None:
    """For whatever text: either it is read as YAML, or as YAML would be."""
    try:
        found = _configuration.first_document(text)
    except ValueError:
        found = "refused"

    assert found == by_yaml(text)


def test_the_shipped_file_takes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would be of no use."""
    monkeypatch.delattr(yaml, "load_all")

    assert _configuration.first_document(SHIPPED)[":max_revisions"] == 5
