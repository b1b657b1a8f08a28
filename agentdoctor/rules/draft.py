"""The skeleton of a rule for an error that no rule explains: what can be known is filled in, the rest says TODO."""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

from agentdoctor.logs import Stream
from agentdoctor.model import Record, Rule
from agentdoctor.rules import unknown

_DOCS = "https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting.html"
# Words that say nothing of a failure in a name.
_EMPTY_WORDS = set("a an and are at by error failed for from has in is not of on or that the this to was with".split())


def draft(stream: Stream, path: str, rules: Sequence[Rule], id_: str = "") -> tuple[str, str] | None:
    """Id and YAML text of a rule for the first error that ``rules`` do not explain; None if there is none.

    The text parses as it is. ``stream`` must be able to seek; ``path`` is for messages only. OSError for no log.
    """
    found = unknown.find(stream, path, rules)
    if found is None:
        return None
    record, pattern, sample = found
    name = id_ or _name(pattern, {rule.id for rule in rules})
    return name, _yaml(name, record, pattern, sample, sorted({rule.area for rule in rules}))


def _name(pattern: str, taken: set[str]) -> str:
    """An id from the first telling words of the pattern."""
    said = [word for word in dict.fromkeys(unknown.telling(pattern)) if word not in _EMPTY_WORDS][:4]
    name = "-".join(said if len(said) > 1 else [*said, "unknown", "failure"])
    return f"{name}-new" if name in taken else name


def _yaml(name: str, record: Record, pattern: str, sample: str, areas: Sequence[str]) -> str:
    agent = record.agent or "1.x"
    lines = [
        f"# Save it as {name}.yaml, fill in every TODO, then: agentdoctor rules lint {name}.yaml",
        "title: 'TODO: what is broken, in at most 60 characters'",
        f"severity: {_severity(record)}  # TODO: critical (deployments fail now), warning (the next one may) or info",
        f"# areas: {', '.join(areas)}",
        "area: TODO",
        f"agents: [{agent}]" + ("" if record.agent else "  # TODO: the text does not tell the generation"),
        *(["subject: path"] if "(?P<path>" in pattern else []),
        "signature:",
        *([] if record.log in ("agent", "text") else [f"  log: {record.log}"]),
        "  any:",
        f"    - {_quoted(pattern)}",
        "# confirm: {}  # TODO: what a probe must have said, if the host can prove it",
        "cause: 'TODO: why it fails, in plain words'",
        "remediation:",
        "  - text: 'TODO: what to do'",
        "    where: instance  # TODO: instance, operator, repository or console",
        "    # command: a command that works there",
        *_recovery(record),
        f"docs: {_DOCS}  # TODO: the nearest page",
        "samples:",
        f"  - agent: {agent}  # TODO: the version, such as {agent[0]}.{'8' if agent == '1.x' else '0'}.1",
        *([] if record.log == "agent" else [f"    log: {record.log}"]),
        f"    text: {_block(sample)}",
        "  # TODO: the nearest text that is not this failure, one for each of agents",
        f"  # - agent: {agent}",
        "  #   match: false",
        "  #   text: |-",
        "  #     ...",
    ]
    return "\n".join(lines) + "\n"


def _severity(record: Record) -> str:
    return "critical" if _in_event(record) else "warning"


def _in_event(record: Record) -> bool:
    """Whether it failed a lifecycle event: reports and 2.x name the event, 1.x says so in words."""
    return bool(record.report or record.deployment.event or "Error during perform: " in record.message)


def _recovery(record: Record) -> list[str]:
    if _in_event(record):
        return ["recovery:", "  event: same"]
    return ["recovery:", "  any:  # or event: same, or evidence: true", "    - 'TODO: a log line that shows it over'"]


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


# What a block cannot hold, or cannot begin with.
_NOT_IN_BLOCK = re.compile("^\\s|[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _block(text: str) -> str:
    """A text as logged, readable where YAML lets it be."""
    if _NOT_IN_BLOCK.search(text):
        return str(yaml.safe_dump(text, default_style='"', allow_unicode=True, width=float("inf"))).strip()
    return "\n".join(["|-", *(f"      {line}" if line else "" for line in text.split("\n"))])
