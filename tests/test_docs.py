"""The documents say what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from agentdoctor import rules as catalogue
from agentdoctor.rules.lint import lint
from agentdoctor.rules.schema import parse
from agentdoctor.verbs import VERBS
from conftest import TOP

README = (TOP / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (TOP / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```console\n\$ agentdoctor ([^\n]*)\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize(("arguments", "shown"), BLOCKS, ids=[block[0] for block in BLOCKS])
def test_readme_shows_what_is_printed(
    arguments: str, shown: str, cli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """Each console block of the README is the beginning of what its command prints."""
    printed = cli(*arguments.split(), env={"COLUMNS": "80"}).stdout

    assert printed.startswith(shown.rstrip("\n"))


def test_readme_has_its_blocks() -> None:
    """The help and one real screen."""
    assert [block[0] for block in BLOCKS] == ["demo", "--help"]


def test_the_rule_in_the_readme_is_a_good_rule() -> None:
    """People paste it."""
    (text,) = re.findall(r"```yaml\n# /etc/agentdoctor/rules.d/licence-server-down.yaml\n(.*?)```", README, re.DOTALL)
    rule = parse(text, "licence-server-down.yaml")
    shipped = catalogue.load(samples=True).rules

    assert [problem for problem in lint(rule, [*shipped, rule]) if "also matched by script-failed" not in problem] == []


@pytest.mark.parametrize("verb", sorted({name.partition("_")[0] for name in VERBS}))
def test_every_verb_is_documented(verb: str) -> None:
    """In the README and in the help."""
    help_ = subprocess.run(
        [sys.executable, "-m", "agentdoctor", "--help"], capture_output=True, text=True, check=True, cwd=TOP
    ).stdout

    assert f"agentdoctor {verb}" in README
    assert f"    {verb} " in help_


def test_every_key_of_a_rule_is_documented() -> None:
    """Where contributors look for it."""
    from agentdoctor.rules import schema

    for key in schema._KEYS:
        assert f"`{key}`" in CONTRIBUTING or key in ("remediation", "samples", "recovery", "subject"), key
