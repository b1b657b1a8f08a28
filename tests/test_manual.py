"""The manual pages: made from the sources, complete, and what real formatters take without a complaint."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agentdoctor.arguments import _EXIT_CODES, _NOTIFY_CODES, _VERIFY_CODES, parser
from agentdoctor.probes import names
from agentdoctor.rules import keys
from agentdoctor.rules.schema import parse
from agentdoctor.settings import KEYS
from conftest import TOP

sys.path.insert(0, str(TOP / "packaging/docs"))
import roff
import rules_page
from commands import Command, commands

PAGES = ("agentdoctor.1", "agentdoctor.yaml.5", "agentdoctor-rules.5")
LINTERS = {
    "groff": ("groff", "-ww", "-z", "-man", "-Tutf8"),
    "mandoc": ("mandoc", "-T", "lint", "-W", "warning"),
    "man": ("man", "--warnings", "-l"),
}


def make(directory: Path, **environment: str) -> Path:
    """The pages, as a build makes them."""
    subprocess.run(
        [sys.executable, TOP / "packaging/docs", "man", directory],
        env={**os.environ, "PYTHONPATH": str(TOP), **environment},
        check=True,
    )
    return directory


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("man"))


def shown(path: Path) -> str:
    """A page as it is read: formatted by the formatter that is here, or else its source without the marks."""
    if shutil.which("groff"):
        command = ["groff", "-man", "-Tascii", "-P-cbou", "-rLL=200n", str(path)]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    else:
        text = re.sub(r"\\f[BIR]", "", path.read_text()).replace("\\-", "-").replace("\\(aq", "'")
    return " ".join(text.split())


@pytest.mark.parametrize("tool", LINTERS)
@pytest.mark.parametrize("page", PAGES)
def test_formatters_complain_of_nothing(page: str, tool: str, pages: Path) -> None:
    """Not a word on either stream where only complaints are printed."""
    if not shutil.which(LINTERS[tool][0]):
        pytest.skip(f"{tool} is not installed")
    environment = {**os.environ, "MANPAGER": "cat", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [*LINTERS[tool], str(pages / page)], capture_output=True, text=True, env=environment, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert tool == "man" or done.stdout == ""


@pytest.mark.parametrize("command", commands()[1:], ids=lambda command: " ".join(command.path))
def test_every_command_is_there(command: Command, pages: Path) -> None:
    """With each of its options, their words, and what stands without a flag."""
    page = shown(pages / "agentdoctor.1")
    if command.verbs:
        return  # its actions are there
    heading = " ".join(("agentdoctor", *command.path))
    assert heading in page
    own = page.split(f" {heading} ", 1)[1]
    for option in command.options:
        assert f"{', '.join(option.flags)} {option.value}".strip() in own
        assert ", ".join(option.words) in own


def test_the_walk_misses_no_verb() -> None:
    """The parser's own usage, and what the page is made from."""
    usage = parser().format_help()
    verbs = {command.path[0] for command in commands()[1:]}

    assert verbs == set(re.findall(r"^    ([a-z]+)(?: |$)", usage, re.MULTILINE))
    assert ("rules", "draft") in {command.path for command in commands()}


@pytest.mark.parametrize("codes", [_EXIT_CODES, _VERIFY_CODES, _NOTIFY_CODES], ids=["all", "verify", "notify"])
def test_every_exit_code_is_there(codes: str, pages: Path) -> None:
    page = shown(pages / "agentdoctor.1")
    rows = re.findall(r"^  (\d)  (.*)$", codes, re.MULTILINE)

    assert len(rows) >= 3
    for code, words in rows:
        assert f"{code} {words[0].upper()}{words[1:]}." in page


def test_every_setting_is_there(pages: Path) -> None:
    page = shown(pages / "agentdoctor.yaml.5")

    for key in KEYS:
        assert f"{key.name} {key.about}" in page
        assert f"the default is {'nothing' if key.default is None else key.default}." in page


def test_every_key_of_a_rule_is_there(pages: Path) -> None:
    """And every probe."""
    page = shown(pages / "agentdoctor-rules.5")

    for table in (keys.RULE, keys.SIGNATURE, keys.BOUNDS, keys.STEP, keys.RECOVERY, keys.SAMPLE):
        for key in table:
            assert f"{key.name} {key.about}" in page
            assert ", ".join(key.words) in page
    for name in names():
        assert name in page


def test_the_example_of_a_rule_is_one(pages: Path) -> None:
    """People paste it."""
    assert parse(rules_page._EXAMPLE, "licence-server-down.yaml").severity.value == "critical"


def test_builds_are_reproducible(tmp_path: Path) -> None:
    """The date is the one that the build names."""
    one, two = (make(tmp_path / name, SOURCE_DATE_EPOCH="1764115200") for name in ("one", "two"))

    for page in PAGES:
        assert (one / page).read_bytes() == (two / page).read_bytes()
        assert " 2025-11-26 " in (one / page).read_text().splitlines()[0]


HOSTILE = {
    "a request": (".ex", ".ex"),
    "a quote at the start": ("'br", "'br"),
    "an escape": (r"a\n\fBb", r"a\n\fBb"),
    "marks": ("--flag `x` ~/y ^z \"q\"", "--flag `x` ~/y ^z \"q\""),
}  # fmt: skip


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
@pytest.mark.parametrize(("text", "read"), HOSTILE.values(), ids=HOSTILE)
def test_text_is_shown_as_it_is(text: str, read: str, tmp_path: Path) -> None:
    """No word of ours is taken for a request of roff."""
    page = tmp_path / "x.1"
    page.write_text(roff.title("x", 1, "2026-01-01", "x") + roff.section("Name") + roff.first(roff.text(text)))

    assert f"NAME {read} x 2026-01-01" in shown(page)
