"""JUnit's XML, in the flavour of Jenkins, which GitLab, GitHub's actions and others read too: its elements."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from agentdoctor.scrub import cut, line, scrub

_MESSAGE_LIMIT = 300  # characters; lists show it in one line
# All that XML 1.0 has no way to write (section 2.2, Char), not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(attributes: dict[str, str], properties: dict[str, str], cases: Sequence[ET.Element]) -> str:
    """One suite with these cases. ASCII: what else there is is escaped, whatever stdout's encoding."""
    suite = element("testsuite", **attributes, **_counts(cases))
    told = element("properties")
    told.extend(element("property", name=name, value=cut(value, 1000)) for name, value in properties.items())
    suite.append(told)
    suite.extend(cases)
    suites = element("testsuites", name="agentdoctor", **_counts(cases))
    suites.append(suite)
    ET.indent(suites)
    written: bytes = ET.tostring(suites, encoding="us-ascii", xml_declaration=True)
    return written.decode("ascii") + "\n"


def _counts(cases: Sequence[ET.Element]) -> dict[str, str]:
    names = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    counts = {name: sum(case.find(tag) is not None for case in cases) for name, tag in names.items()}
    return {"tests": str(len(cases)), **{name: str(count) for name, count in counts.items()}}


def result(tag: str, type_: str, message: str, text: str) -> ET.Element:
    """A failure or an error of a case."""
    made = element(tag, type=type_, message=shortened(message))
    made.text = clean(scrub(text))
    return made


def shortened(text: str) -> str:
    """A text as a message: one line."""
    return cut(line(text), _MESSAGE_LIMIT)


def element(tag: str, **attributes: str) -> ET.Element:
    """An element whose attributes XML can hold."""
    return ET.Element(tag, {name: clean(value) for name, value in attributes.items()})


def clean(text: str) -> str:
    """A text without what XML cannot hold."""
    return _FORBIDDEN.sub("", text)


def seconds(milliseconds: float) -> str:
    """A duration as the format has it."""
    return f"{milliseconds / 1000:.3f}"
