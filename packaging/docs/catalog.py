"""The journal's catalog of messages: what journalctl -x says below an entry of ours, by its MESSAGE_ID.

https://systemd.io/CATALOG is the form. @FIELD@ is replaced by a field of the entry; a field that is not there shows its
own name, so only fields that every entry of a rule has are used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from agentdoctor import rules as catalogue
from agentdoctor.model import Rule
from agentdoctor.report import page, plain
from agentdoctor.sinks.journal import message_id

_BRACES = re.compile(r"(?<!\$)\{[a-z_]+\}")
# What an entry knows in the place of a section that says {name}.
_FIELDS = {"Cause": "@AGENTDOCTOR_CAUSE@", "What to do": "@AGENTDOCTOR_FIX@"}
_HEAD = "# Causes and fixes of what agentdoctor tells, for journalctl -x; made from its rules.\n"


def catalog() -> Mapping[str, str]:
    """The one file."""
    rules = catalogue.load().rules
    return {"agentdoctor.catalog": "\n".join((_HEAD, *(_entry(rule, rules) for rule in rules)))}


def _entry(rule: Rule, rules: Sequence[Rule]) -> str:
    head = f"-- {message_id(rule.id)}\nSubject: {rule.title}\nDefined-By: agentdoctor\nDocumentation: {rule.docs}\n"
    return "\n".join((head, *_body(rule, rules), ""))


def _body(rule: Rule, rules: Sequence[Rule]) -> Iterator[str]:
    """Cause and fix as the page of the rule has them; where that says {name}, as the entry has them, of this host."""
    yield "@AGENTDOCTOR_RULE@ @AGENTDOCTOR_EVENT@, @AGENTDOCTOR_SEVERITY@, on @AGENTDOCTOR_INSTANCE_ID@."
    for section in page.build(rule, rules).sections:
        field = _FIELDS.get(section.heading)
        if field:
            rows = list(plain.rows(section))
            yield ""
            yield from [section.heading, field] if _BRACES.search("\n".join(rows)) else rows
    yield ""
    yield f"Is it over?  sudo agentdoctor verify {rule.id}"
    yield f"All of it:   agentdoctor explain {rule.id}"
