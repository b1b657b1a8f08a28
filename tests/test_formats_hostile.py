"""Hostile text in every format, and what the real readers of a format say to it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import consumers
import pytest
from consumers import tool
from golden_runs import CONFLICT, EVERYTHING, NOTHING, REFUSED, about, rows

from agentdoctor.arguments import FORMATS
from agentdoctor.model import Alternative, Outcome, Proof, Role, State, Unexplained
from agentdoctor.report import Run
from agentdoctor.verbs.output import rendered

HERE = Path(__file__).parent
HOSTILE = (
    "a\nb\r\nc \"d\" 'e' | f=1;; ]]> --> <!-- ``` `g` ~~~ <script>alert(1)</script> &amp; <img src=x>"
    "\n# h\n- i\n1. j\n===\n [k](http://evil.example/) ![l](http://evil.example/l.png) <http://evil.example> "
    "http://evil.example/ www.evil.example HTTPS://evil.example @admin m@evil.example #12 o/p#3 !4 $(reboot) "
    "*n* __o__ \\ \\` {path} "
    "\0 \x07 \x1b[31mred\x1b]0;title\x07 \x85 \u2028 \u202ertl\u2066 \ufeff \ufffe \uffff \ud800 \xe9 \U0001f600 end"
)
SECRET = "wJalrXUtnFEMIK7MDENGEXAMPLE"
ATTACKS = {
    "all at once": HOSTILE,
    "10,000 characters": "x" * 10_000,
    "10,000 bars": "|" * 10_000,
    "backticks": "`" * 100 + " a ``` b `",
    "a list": "- a\n- b",
    "a numbered list": "1. a",
    "a heading": "# a",
    "an underline": "===",
    "a quote": "> a",
    "nothing": "",
    "blanks": " \t\n ",
    "a secret": f"aws_secret_access_key={SECRET}",
}


def attacked(text: str) -> Run:
    """A run that holds this text wherever text of strangers may stand."""
    finding = replace(
        about(CONFLICT, text),
        evidence=(
            Proof(Role.SYMPTOM, "log", text, 0.0, path=f"/var/log/{text}", offset=0),
            Proof(Role.CONTEXT, "log", text, name="stderr"),
            Proof(Role.CONFIRMS, "disk", text, name="disk.file.owner", actual=text),
        ),
        ruled_out=(Alternative("disk-full", "The disk is full", text),),
    )
    return replace(
        NOTHING,
        findings=(finding, replace(finding, rule=REFUSED, state=State.QUIET)),
        checks=rows(
            destination_broken=(Outcome.FAIL, ""),
            clock_wrong=(Outcome.UNKNOWN, text),
            agent_mute=(Outcome.SKIP, text),
        ),
        host={**NOTHING.host, "name": text or None},
        unexplained=[Unexplained(text, 1, None, None)],
        problems=[text],
        notes=[text],
        restart={**(NOTHING.restart or {}), "kills": 1, "names": [text], "safe": False},
    )


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_no_format_passes_on_what_a_terminal_obeys(text: str, format_: str) -> None:
    """Nor a secret; and what is no text in the encoding is escaped on the way out, not an error."""
    written = rendered(attacked(text), format_).encode("utf-8", "backslashreplace").decode("utf-8")

    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]", written)
    assert SECRET not in written


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_hostile_jsonl(text: str) -> None:
    """No text makes a line of its own."""
    written = rendered(attacked(text), "jsonl")

    assert written.isascii()
    assert len(consumers.jsonl(written)) == written.count("\n") == 1 + 2 + 7 + 1


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_hostile_nagios(text: str) -> None:
    """One line, its numbers, and nothing that a page or a shell behind it obeys."""
    state, words, numbers, details = consumers.nagios(rendered(attacked(text), "nagios"))

    assert (state, numbers["critical"], numbers["quiet"], numbers["unknown"]) == ("CRITICAL", 1, 1, 1)
    assert not re.search(r"[|<>`$]", words + "".join(details))


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_hostile_junit(text: str) -> None:
    """What XML cannot say is left out, the rest is what it was."""
    written = rendered(attacked(text), "junit")
    results = consumers.junit(written)

    assert written.isascii()
    assert results["destination-broken"][0] == "failure"
    assert [results[name][0] for name in ("endpoint-refused", "clock-wrong", "agent-mute")] == [
        "error",
        "error",
        "skipped",
    ]
    if text == HOSTILE:
        assert "]]> --> <!-- ``` `g`" in results["clock-wrong"][1]


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_hostile_markdown(text: str) -> None:
    """Outside of code no word means anything, and no line begins anything that is not ours."""
    written = rendered(attacked(text), "markdown")
    bare = consumers.bare_markdown(written).replace(f"<{CONFLICT.docs}>", "DOCS")

    assert not re.search(r"[`<>\[\]@$|~&\\]|://|www\.", bare, re.IGNORECASE)
    assert len(re.findall("^#", bare, re.MULTILINE)) == bare.count("#") / 3 == 2
    assert not re.search(r"^(?:\s*(?:[-+] )?[-+=]+|- \d+[.)].*)$", bare, re.MULTILINE)


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_hostile_prometheus(text: str) -> None:
    """No text of strangers is in it at all."""
    assert rendered(attacked(text), "prometheus") == rendered(attacked("/x"), "prometheus")


def test_hostile_markdown_as_github_renders_it() -> None:
    """cmark-gfm is GitHub's renderer: the page has our elements and our links only."""
    command = [tool("cmark-gfm"), "--unsafe", "-e", "autolink", "-e", "table", "-e", "strikethrough"]
    for name, text in ATTACKS.items():
        written = rendered(attacked(text), "markdown").encode("utf-8", "backslashreplace")
        page = _Elements(subprocess.run(command, input=written, capture_output=True, check=True).stdout.decode())

        assert page.tags == {"p", "strong", "h3", "ul", "ol", "li", "code", "pre", "a"}, name
        assert page.links == {CONFLICT.docs}, name
        assert "@" not in page.prose, name


class _Elements(HTMLParser):
    """The elements and links of a page, and its text outside of code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.prose = ""
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links |= {value or "" for name, value in attrs if name in ("href", "src")}
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._open.remove(tag)

    def handle_data(self, data: str) -> None:
        if "code" not in self._open:
            self.prose += data


def test_promtool() -> None:
    """Prometheus' own reader has nothing to say."""
    for given in (EVERYTHING, NOTHING, attacked(HOSTILE)):
        done = subprocess.run(
            [tool("promtool"), "check", "metrics"],
            input=rendered(given, "prometheus"), capture_output=True, text=True, check=False,
        )  # fmt: skip

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_xmllint(tmp_path: Path) -> None:
    """Against a schema of Jenkins' flavour."""
    path = tmp_path / "report.xml"
    command = [tool("xmllint"), "--noout", "--nonet", "--schema", str(HERE / "junit.xsd"), str(path)]
    for given in (EVERYTHING, NOTHING, attacked(HOSTILE)):
        path.write_text(rendered(given, "junit"), encoding="ascii")
        done = subprocess.run(command, capture_output=True, text=True, check=False)

        assert done.returncode == 0, done.stderr
