"""What the documents tell people to type can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from agentdoctor import rules as catalogue
from agentdoctor.arguments import UsageError, parser
from agentdoctor.settings import KEYS, keys_said, parse
from conftest import TOP

DOCUMENTS = ("README.md", "SECURITY.md", "CONTRIBUTING.md", "ARCHITECTURE.md")
TEXTS = {name: (TOP / name).read_text(encoding="utf-8") for name in DOCUMENTS}
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
MAKEFILE = (TOP / "Makefile").read_text(encoding="utf-8")
IDS = set(catalogue.load().ids)
# Words that stand for something, and something that they may stand for.
PLACES = {"ID": "disk-full", "PATH": ".", "LOGFILE": "x.log", "FILE": "x", "DIR": "/tmp", "TEXT": "x"}


def typed(text: str) -> list[str]:
    """Each command line of the shell blocks, continued lines joined, without comments."""
    rows = [row for language, block in FENCED.findall(text) if language == "sh" for row in _rows(block)]
    return [row for row in (re.sub(r"(^|\s)#.*", "", row).strip() for row in rows) if row]


def _rows(block: str) -> list[str]:
    return block.replace("\\\n", " ").splitlines()


def ours(text: str) -> list[str]:
    """Each call of agentdoctor: in shell blocks, up to a pipe or a redirection, and in the running text."""
    prose = FENCED.sub("", text)
    quoted = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]
    calls = [re.split(r"\s[|>]\s?|&&", row)[0] for row in (*typed(text), *quoted)]
    return [call for call in calls if re.match(r"(sudo |ssh host sudo )?agentdoctor [a-z]", call)]


CALLS = sorted({(name, call) for name, text in TEXTS.items() for call in ours(text)})


@pytest.mark.parametrize(("name", "call"), CALLS, ids=[call for _, call in CALLS])
def test_every_call_is_understood(name: str, call: str) -> None:
    """Verbs, flags and values as the parser takes them; ids that exist."""
    words = shlex.split(call.split("agentdoctor ", 1)[1].replace("...", ""))
    words = [re.sub(r"[\[\]]", "", word) for word in words]
    arguments = [PLACES.get(word, word) for word in words]
    try:
        options = parser(arguments[0]).parse_args(arguments)
    except UsageError as error:
        pytest.fail(f"{name}: {call}: {error}")
    except SystemExit:
        return  # --version
    for id_ in [options.id] if isinstance(getattr(options, "id", None), str) else getattr(options, "id", None) or []:
        assert id_ in IDS or options.verb == "rules", f"{name}: {call}"


def test_there_are_calls() -> None:
    """The search finds those of blocks, of tables and of running text."""
    calls = {call for _, call in CALLS}

    assert {"sudo agentdoctor notify test", "agentdoctor explain appspec-misnamed", "agentdoctor lint PATH"} <= calls
    assert len(calls) > 25


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_target_of_make_exists(name: str) -> None:
    """As a rule of the Makefile."""
    text = TEXTS[name]
    spans = [*typed(text), *re.findall(r"`([^`]+)`", FENCED.sub("", text))]
    targets = {found[1] for span in spans if (found := re.match(r"(?:sudo )?make ([\w.-]+)", span))}

    assert [
        target for target in targets if not re.search(rf"^[^\t#]*\b{re.escape(target)}\b[^=]*:", MAKEFILE, re.MULTILINE)
    ] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    """To a file of ours, or a heading of the same document."""
    text = FENCED.sub("", TEXTS[name])
    rows = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    headings = {re.sub(r"[^\w -]", "", row.lower()).replace(" ", "-") for row in rows}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif not target.startswith("https://"):
            assert (TOP / target).exists(), target


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_of_ours_that_is_typed_exists(name: str) -> None:
    """Paths that begin with a folder of the repository."""
    for row in typed(TEXTS[name]):
        for path in re.findall(r"(?<![\w/.-])(?:file://)?((?:packaging|systemd|tests|docs)/[\w./-]+)", row):
            assert Path(TOP / path).exists(), row


def test_the_settings_of_the_readme_are_settings() -> None:
    """Each block of YAML that is one; the long one names every key, with its default."""
    blocks = [block for language, block in FENCED.findall(TEXTS["README.md"]) if language == "yaml"]
    settings = [block for block in blocks if "sns:" in block]
    for block in settings:
        parse(block, "README.md")
    (longest,) = [block for block in settings if "fleet_size" in block]
    said = {name: found.value for name, found in keys_said(longest, "README.md").items()}
    assert said == {key.name: key.default for key in KEYS if key.default is not None}
    for key in KEYS:
        assert key.default is not None or f"{key.name.rpartition('.')[2]}: null" in longest
