"""Every shipped rule, and what happens to rules that are not as they must be."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from agentdoctor import rules as catalogue
from agentdoctor.model import Rule
from agentdoctor.rules import RuleError, compiled
from agentdoctor.rules.lint import lint
from agentdoctor.rules.schema import parse
from conftest import shared

SHIPPED = catalogue.load(samples=True).rules

GOOD = """\
title: The thing is broken
severity: warning
area: test
signature:
  any:
    - 'the thing is broken (?P<path>\\S+)$'
cause: It broke.
remediation:
  - {text: Mend it, where: instance}
recovery: {any: ['the thing is well']}
docs: https://example.com
samples:
  - {agent: 1.8.1, text: '2026-11-22T20:55:25 ERROR [x(1)]: the thing is broken /a'}
  - {agent: 1.8.1, match: false, text: '2026-11-22T20:55:25 ERROR [x(1)]: the thing is broken'}
  - {agent: 2.1.0, text: '2026-11-22 20:55:25 ERROR the thing is broken /a'}
  - {agent: 2.1.0, match: false, text: '2026-11-22 20:55:25 ERROR a thing is broken /a'}
"""


@pytest.mark.parametrize("rule", SHIPPED, ids=lambda rule: rule.id)
def test_shipped_rules_are_good(rule: Rule) -> None:
    """Names that exist, no cycles, patterns with words, a match and a near miss per generation, no stranger's match."""
    assert not list(lint(rule, SHIPPED))


@pytest.mark.parametrize("rule", SHIPPED, ids=lambda rule: rule.id)
def test_commands_are_what_a_shell_takes(rule: Rule) -> None:
    """Each printed command and its undo, with something for each name that is filled in."""
    texts = [text for step in rule.remediation for text in (step.command, step.undo) if text]
    script = "\n".join(re.sub(r"(?<!\$)\{[a-z_]+\}", "'it is'", text) for text in texts)
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("rule", SHIPPED, ids=lambda rule: rule.id)
def test_shipped_rules_are_for_people(rule: Rule) -> None:
    """A title that fits a line, a page of AWS, commands that name where they run, no folk cure."""
    commands = "\n".join(step.command for step in rule.remediation)

    assert len(rule.title) <= 60
    assert not rule.title.endswith(".")
    assert rule.docs.startswith("https://docs.aws.amazon.com/")
    assert not re.search(
        r"chmod (?:-R )?777|rm -rf? [^|;&]*deployment-root|rm -rf? [^|;&]*deployment-instructions/?\*", commands
    )
    for step in rule.remediation:
        assert not (step.where == "operator" and step.command.startswith("sudo "))
        assert not (step.where == "instance" and step.command.startswith("aws "))


# What the list of the agent's failures did not have to begin with.
ADDED = {
    "instance-terminating": "warning",
    "bundle-secret": "warning",
    "bundle-too-large": "warning",
    "bundle-unsafe-entry": "critical",
}


@pytest.mark.parametrize("rule", SHIPPED, ids=lambda rule: rule.id)
def test_ids_and_severities_are_those_of_the_catalogue(rule: Rule) -> None:
    """Ids are public; what the doctor says of itself is not in the list of the agent's failures."""
    lines = shared("catalogue.tsv").read_text(encoding="utf-8").splitlines()[1:]
    known = {line.split("\t")[0]: line.split("\t")[2] for line in lines} | ADDED

    if rule.area != "doctor":
        assert known[rule.id] == rule.severity.value


def test_the_compiled_catalogue_is_that_of_the_sources() -> None:
    """make rules brings it up to date."""
    assert compiled.PATH.read_text(encoding="utf-8") == compiled.dump(catalogue.from_sources())
    assert compiled.load() == tuple(replace(rule, samples=()) for rule in catalogue.from_sources())


def test_a_good_rule() -> None:
    """The smallest whole rule passes every check."""
    rule = parse(GOOD, "thing-broken.yaml")

    assert not list(lint(rule, [*SHIPPED, rule]))


BROKEN = {
    "unknown key": ("severity: warning", "severty: warning", "2: unknown key 'severty' (did you mean 'severity'?)"),
    "unknown key inside": ("  any:", "  anny:", "5: unknown key 'anny' (did you mean 'any'?)"),
    "unknown severity": ("severity: warning", "severity: bad", "2: 'severity' must be one of critical, warning, info"),
    "missing key": ("title: The thing is broken\n", "", "1: 'title' is missing"),
    "wrong type": ("title: The thing is broken", "title: [a]", "1: 'title' must be a text"),
    "key twice": ("area: test", "area: test\narea: x", "4: key 'area' stands twice"),
    "no list": ("  - {text: Mend it, where: instance}", "  {text: Mend it}", "8: 'remediation' must be a list"),
    "unknown place": ("where: instance", "where: here", "9: 'where' must be one of"),
    "no recovery": ("recovery: {any: ['the thing is well']}", "recovery: {}", "10: 'recovery' must say how"),
    "slow pattern": ("(?P<path>\\S+)$", "(a+)+b", "a repeat inside a repeat"),
    "not a pattern": ("(?P<path>", "(?P<path", "missing"),
    "bad duration": ("severity: warning", "severity: warning\nhold: soon", "3: 'hold' must be a duration"),
    "not yaml": ("area: test", "area: [test", "did not find expected"),
    "not a mapping": (GOOD, "- a\n", "1: a rule file is a mapping"),
    "neither signature nor confirm": (
        "signature:\n  any:\n    - 'the thing is broken (?P<path>\\S+)$'\n",
        "",
        "needs a signature",
    ),
}


@pytest.mark.parametrize(("old", "new", "problem"), BROKEN.values(), ids=BROKEN)
def test_broken_rules_say_where(old: str, new: str, problem: str) -> None:
    """File, line, what is wrong, and the nearest right word."""
    text = GOOD.replace(old, new)
    assert text != GOOD

    with pytest.raises(RuleError) as caught:
        parse(text, "site/thing-broken.yaml")

    assert str(caught.value).startswith("site/thing-broken.yaml:")
    assert problem in str(caught.value)


ALONE = GOOD[: GOOD.index("signature")] + "bundle: true\n" + GOOD[GOOD.index("cause") : GOOD.index("recovery")]
ALONE += "docs: https://example.com\n"


def test_a_rule_of_bundles_alone() -> None:
    """Neither a log nor a host shows it, and nothing but the next bundle clears it."""
    rule = parse(ALONE, "thing-broken.yaml")

    assert not list(lint(rule, [*SHIPPED, rule]))
    with pytest.raises(RuleError, match="4: bundle: true is for what lint alone tells"):
        parse(GOOD.replace("signature:", "bundle: true\nsignature:"), "site/thing-broken.yaml")


LINTED = {
    "a dependency that is not there": (
        "area: test",
        "area: test\ndepends_on: [imds-unreachabel]",
        "did you mean 'imds-unreachable'",
    ),
    "a probe that is not there": (
        "area: test",
        "area: test\nconfirm: {disk.spac: {x: 1}}",
        "did you mean 'disk.space'",
    ),
    "a dependency on itself": ("area: test", "area: test\ndepends_on: [thing-broken]", "hides itself through a cycle"),
    "a subject without a group": ("area: test", "area: test\nsubject: file", "no pattern has a group 'file'"),
    "a pattern without a whole word": (
        "the thing is broken (?P<path>",
        "thingisbroken(?P<path>",
        "holds no whole word",
    ),
    "a sample that does not match": (
        "the thing is broken /a'}\n  - {agent: 1.8.1",
        "it is /a'}\n  - {agent: 1.8.1",
        "is not matched",
    ),
    "a near miss that matches": ("a thing is broken /a", "the thing is broken /b", "is a near miss and is matched"),
    "no near miss of a generation": (
        "  - {agent: 2.1.0, match: false",
        "  - {agent: 1.8.1, match: false",
        "no near miss",
    ),
    "a sample of another rule": (
        "ERROR [x(1)]: the thing",
        "ERROR [x(1)]: No space left on device, the thing",
        "also matched by disk-full",
    ),
}


@pytest.mark.parametrize(("old", "new", "problem"), LINTED.values(), ids=LINTED)
def test_lint(old: str, new: str, problem: str) -> None:
    """Rules that can be read and are not good."""
    rule = parse(GOOD.replace(old, new), "thing-broken.yaml")

    assert any(problem in text for text in lint(rule, [*SHIPPED, rule]))


def test_site_rules_are_used(tmp_path: Path) -> None:
    """A file in rules.d is a rule like the shipped ones."""
    (tmp_path / "thing-broken.yaml").write_text(GOOD)
    loaded = catalogue.load(str(tmp_path))

    assert loaded.get("thing-broken")
    assert not loaded.broken


SITE = {
    "not yaml": ("thing-broken.yaml", "a: [b", "thing-broken.yaml:"),
    "a shipped id": ("disk-full.yaml", GOOD, "belongs to a shipped rule"),
    "an odd name": ("Broken.yaml", GOOD, "kebab-case"),
    "an unknown dependency": ("thing-broken.yaml", GOOD + "depends_on: [no-such-rule]\n", "no rule 'no-such-rule'"),
}


@pytest.mark.parametrize(("name", "text", "problem"), SITE.values(), ids=SITE)
def test_broken_site_rules_are_left_out(tmp_path: Path, name: str, text: str, problem: str) -> None:
    """One broken rule costs itself and no other, and is named."""
    (tmp_path / name).write_text(text)
    (tmp_path / "good-rule.yaml").write_text(GOOD)
    loaded = catalogue.load(str(tmp_path))

    assert loaded.get("good-rule")
    assert len(loaded.rules) == len(SHIPPED) + 1
    assert len(loaded.broken) == 1
    assert problem in loaded.broken[0]


def test_a_rule_that_needs_a_broken_one_goes_with_it(tmp_path: Path) -> None:
    """What is left never names what is not there."""
    (tmp_path / "first-rule.yaml").write_text(GOOD + "depends_on: [no-such-rule]\n")
    (tmp_path / "second-rule.yaml").write_text(GOOD + "depends_on: [first-rule]\n")
    loaded = catalogue.load(str(tmp_path))

    assert len(loaded.rules) == len(SHIPPED)
    assert len(loaded.broken) == 2


def test_no_site_directory(tmp_path: Path) -> None:
    """A host without rules of its own is no problem; a rules.d that is a file is one."""
    assert not catalogue.load(str(tmp_path / "absent")).broken
    (tmp_path / "file").write_text("")
    assert catalogue.load(str(tmp_path / "file")).broken
