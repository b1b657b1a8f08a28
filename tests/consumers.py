"""Readers of our formats, as strict as the documents of those who read them: what they take, every reader takes."""

from __future__ import annotations

import json
import re
import shutil
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from agentdoctor.report.jsonl import schema

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def tool(name: str) -> str:
    """The path of a program that reads a format; skips where it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed here; the strict reader here has checked the same")
    return path


SHAPE = jsonschema.Draft202012Validator(json.loads(schema()))


def jsonl(text: str) -> list[dict[str, object]]:
    """Each line is one object of the shape that the program prints."""
    SHAPE.check_schema(SHAPE.schema)
    found = [json.loads(row) for row in text.splitlines()]
    for row in found:
        SHAPE.validate(row)
    return found


_SAMPLE = re.compile(r"([a-z_]+)(?:\{(.*)\})? (-?\d+(?:\.\d+)?)")
_LABEL = re.compile(r'([a-z_][a-z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
_ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


def prometheus(text: str) -> Series:
    """Samples by name and labels. Each family has HELP, TYPE and then its samples, and no series comes twice."""
    assert text.endswith("\n")
    found: Series = {}
    families: list[str] = []
    described = ""
    for row in text.removesuffix("\n").split("\n"):
        if row.startswith("# HELP "):
            described = row.split(" ", 3)[2]
            assert row.split(" ", 3)[3]
        elif row.startswith("# TYPE "):
            assert row == f"# TYPE {described} gauge"
            assert described not in families
            families.append(described)
        else:
            name, labels, value = _sample(row)
            assert name == families[-1] == described
            assert (name, labels) not in found
            found[name, labels] = value
    return found


def _sample(row: str) -> tuple[str, tuple[tuple[str, str], ...], float]:
    match = _SAMPLE.fullmatch(row)
    assert match, row
    rest, labels = match[2] or "", []
    while rest:
        label = _LABEL.match(rest)
        assert label, row
        labels.append((label[1], re.sub(r"\\.", lambda escape: _ESCAPES[escape[0]], label[2])))
        rest = rest[label.end() :]
    return match[1], tuple(labels), float(match[3])


_PERFORMANCE = re.compile(r"([a-z]+)=(\d+(?:\.\d+)?)s?;;;0(?:;\d+)?")


def nagios(text: str) -> tuple[str, str, dict[str, float], list[str]]:
    """State, words, numbers and the further lines of a plugin's output."""
    assert text.isascii()
    assert len(text) <= 4096
    first, *details = text.removesuffix("\n").split("\n")
    assert len(first) <= 1024
    assert all(row.isprintable() for row in (first, *details))
    assert not any("|" in row for row in details), "what follows a bar would be read as numbers"
    words, data = first.split(" | ")
    head = re.fullmatch(r"AGENTDOCTOR (OK|WARNING|CRITICAL|UNKNOWN) - (.+)", words)
    assert head
    pairs = [_PERFORMANCE.fullmatch(pair) for pair in data.split(" ")]
    return head[1], head[2], {pair[1]: float(pair[2]) for pair in pairs if pair}, details


Results = dict[str, tuple[str, str]]


def junit(text: str) -> Results:
    """(tag, message) of each case, by its name; ("passed", "") of one without result. Counts must be those of cases."""
    suites = ET.fromstring(text)
    (suite,) = suites
    cases = suite.findall("testcase")
    results: Results = {}
    for case in cases:
        told = [child for child in case if child.tag != "system-out"]
        assert len(told) <= 1
        results[case.attrib["name"]] = (told[0].tag, told[0].get("message", "")) if told else ("passed", "")
    assert len(results) == len(cases)
    tags = [tag for tag, _ in results.values()]
    for counted in (suites, suite):
        counts = {name: int(counted.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
        found = [len(cases), tags.count("failure"), tags.count("error"), tags.count("skipped")]
        assert list(counts.values()) == found
    return results


_FENCE = re.compile(r"^( *)(`{3,})(\w*)\n.*?\n\1\2$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")


def bare_markdown(text: str) -> str:
    """The text without fenced blocks and code spans: all that Markdown would make something of."""
    return _SPAN.sub("CODE", _FENCE.sub("BLOCK", text))
