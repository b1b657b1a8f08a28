"""The documents say what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from golden_runs import ENDINGS, GOLDEN

from agentdoctor import rules as catalogue
from agentdoctor import words
from agentdoctor.arguments import FORMATS, parser
from agentdoctor.model import Rule, Sample
from agentdoctor.report import expected, page
from agentdoctor.rules.__main__ import PAGES, write_pages
from agentdoctor.rules.lint import lint
from agentdoctor.rules.schema import parse
from conftest import TOP

README = (TOP / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (TOP / "CONTRIBUTING.md").read_text(encoding="utf-8")
SHIPPED = catalogue.from_sources()
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


EXAMPLES = re.findall(rf"```({'|'.join(FORMATS)})\n(.*?)\n```", README, re.DOTALL)


@pytest.mark.parametrize(("format_", "shown"), EXAMPLES, ids=[example[0] for example in EXAMPLES])
def test_examples_of_formats_are_golden(format_: str, shown: str) -> None:
    """Each is a piece of what the format looks like in tests/golden."""
    assert shown in (GOLDEN / f"{format_}.{ENDINGS[format_]}").read_text(encoding="utf-8")


def test_every_format_is_documented() -> None:
    """With an example each; those of text and JSON stand elsewhere."""
    assert sorted(example[0] for example in EXAMPLES) == sorted(set(FORMATS) - {"text", "json"})
    for format_ in FORMATS[1:]:
        assert f"\n| `{format_}` | " in README


VERBS = next(action.choices for action in parser()._actions if action.dest == "verb")


@pytest.mark.parametrize("verb", sorted(VERBS or ()))
def test_every_verb_is_documented(verb: str) -> None:
    """In the README and in the help."""
    help_ = subprocess.run(
        [sys.executable, "-m", "agentdoctor", "--help"], capture_output=True, text=True, check=True, cwd=TOP
    ).stdout

    assert f"agentdoctor {verb}" in README
    assert re.search(rf"^    {verb}(?: |$)", help_, re.MULTILINE)


def test_every_key_of_a_rule_is_documented() -> None:
    """Where contributors look for it."""
    from agentdoctor.rules import keys

    for key in keys.names(keys.RULE):
        assert f"`{key}`" in CONTRIBUTING or key in ("remediation", "samples", "recovery", "subject"), key


def pages() -> dict[str, str]:
    """The pages of the failures as they lie in docs/failures, by file name."""
    return {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*")}


def test_the_pages_are_those_of_the_rules() -> None:
    """make rules brings them up to date, and takes away those of rules that are no more."""
    assert pages() == dict(page.documents(SHIPPED))


def test_old_pages_go(tmp_path: Path) -> None:
    """Of Markdown files only; what else lies there is not ours."""
    for name in ("gone-rule.md", "picture.png"):
        (tmp_path / name).write_text("x")
    write_pages(tmp_path, {"README.md": "index"})

    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "picture.png"]


def test_every_link_of_the_pages_leads_somewhere() -> None:
    """Between pages, and from the index to each."""
    for name, text in pages().items():
        for target in re.findall(r"\]\(([^)]*)\)", text):
            assert (PAGES / target).is_file(), name
    linked = set(re.findall(r"\]\(([^)]*)\)", pages()["README.md"]))
    assert linked == set(pages()) - {"README.md"}


HEADINGS = ("In the logs", "Cause", "How it is proven", "What to do", "Proof of the fix", "How it clears")


@pytest.mark.parametrize("rule", SHIPPED, ids=lambda rule: rule.id)
def test_explain_and_page_say_the_same(rule: Rule) -> None:
    """The same words in the same order, whatever the form; the commands as they are typed."""
    shown, written = page.render(rule, SHIPPED), page.markdown.write(page.build(rule, SHIPPED))

    assert [line for line in shown.splitlines() if line in HEADINGS] == list(HEADINGS)
    assert re.findall(r"^## (.*)$", written, re.MULTILINE) == list(HEADINGS)
    proof = "agentdoctor lint PATH" if rule.bundle else f"sudo agentdoctor verify {rule.id}"
    assert proof in shown
    assert proof in written
    for step in rule.remediation:
        for row in step.command.strip().splitlines():
            assert row in shown
            assert row in written
    assert _bare(shown) == _bare(re.sub(r"<!--.*?-->|^ *```.*$|^#+ |\]\([\w-]+\.md\)", "", written, flags=re.MULTILINE))


def _bare(text: str) -> str:
    """Letters and digits alone: neither marks nor how lines are broken."""
    return "".join(re.findall(r"[^\W_]+", text)).casefold()


@pytest.mark.parametrize("rule", SHIPPED, ids=lambda rule: rule.id)
def test_what_must_hold_is_in_words(rule: Rule) -> None:
    """Each field that a shipped rule wants has its sentence, not only its name."""
    wanted = {f"{probe}.{field}" for way in rule.confirm for probe, fields in way.items() for field in fields}

    assert wanted <= words.known()


WANTED = {
    "so": ("process.agent.running", True, "the agent's master process runs"),
    "not so": ("process.agent.running", False, "no master process of the agent runs"),
    "some text": ("revision.appspec.nested", {"not": ""}, "an AppSpec lies below the root of the revision"),
    "no text": ("revision.appspec.nested", "", "no AppSpec lies below the root of the revision"),
    "something of a list": ("disk.mounts.read_only", {"not": []}, "a place of the agent is mounted read-only"),
    "nothing of a list": ("disk.mounts.read_only", [], "no place of the agent is mounted read-only"),
    "bytes": (
        "disk.space.free_bytes",
        {"max": 1048576},
        "the free space, the least of all places that the agent writes to, is at most 1.0 MB",
    ),
    "one of several": ("unit.state.active_state", ["a", "b"], "the unit's ActiveState is 'a' or 'b'"),
    "between": ("x.y.count", {"min": 1, "max": 3}, "count is at least 1 and is at most 3"),
    "unknown to the table": ("site.thing.state", "odd", "state is 'odd'"),
}


@pytest.mark.parametrize(("name", "wanted", "said"), WANTED.values(), ids=WANTED)
def test_expectations_in_words(name: str, wanted: object, said: str) -> None:
    """A sentence for what is known, the field's name for the rest."""
    assert expected.say(name, wanted) == said


ODD_RULE = """\
title: 'a | b <script> [x](y) `z` *w* _v_'
severity: warning
area: 'te|st'
signature: {any: ['the odd thing'], times: 3, within: 10m, output: ['`odd` output (?P<x>\\S+) here']}
cause: '# not a heading'
remediation:
  - {text: '1. not a list', where: instance, command: 'echo "````"'}
recovery: {any: ['the thing`s over']}
docs: https://example.com
samples: []
"""


def odd(sample: str) -> str:
    """The Markdown of a rule whose texts look like Markdown."""
    rule = replace(parse(ODD_RULE, "odd-rule.yaml"), samples=(Sample("1.8.1", sample),))
    return page.markdown.write(page.build(rule, [rule]))


FENCED = {
    "a fence": "before\n```\n# after",
    "a longer fence": "before\n``````\n# after",
    "a tilde fence": "~~~\n# after",
    "HTML": "</code><script>alert(1)</script>",
    "an escape": "a\x1b[31mred\x07\x85\u2028bell",
    "a carriage return": "a\r```\rb",
    "long": "x" * 1000 + "\n```",
}


@pytest.mark.parametrize("sample", FENCED.values(), ids=FENCED)
def test_samples_cannot_leave_their_block(sample: str) -> None:
    """A fence is longer than any in the text, and no character in it breaks a line."""
    text = odd(sample)
    (block,) = re.findall(r"^(`{3,})text\n(.*?)\n\1$", text, re.MULTILINE | re.DOTALL)

    assert len(block[0]) > max(map(len, re.findall("`+", block[1])), default=0)
    assert len(block[1]) <= 400
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028]", text)
    assert re.findall(r"^## (.*)$", text.replace(block[1], ""), re.MULTILINE) == list(HEADINGS)


def test_a_long_sample_is_cut() -> None:
    """At 400 characters, and one of 400 is not."""
    assert f"\n{'x' * 400}\n" in odd("x" * 400)
    assert f"\n{'x' * 397}...\n" in odd("x" * 401)


def test_prose_stays_prose() -> None:
    """Marks of Markdown are escaped where they would mean something."""
    text = odd("x")

    assert r"a \| b \<script\> \[x\](y) \`z\` \*w\* \_v\_" in text
    assert "\n\\# not a heading\n" in text
    assert "1. 1\\. not a list" in text
    assert '`````sh\n   echo "````"\n   `````' in text
    assert "``the thing`s over``" in text
    assert "`` `odd` output ... here ``" in text
    assert "at least 3 times in 10 minutes" in text
    assert r"## te\|st" in page.markdown.index([parse(ODD_RULE, "odd-rule.yaml")])
