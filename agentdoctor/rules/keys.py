"""The keys of a rule file: their names, what may stand there, and what each means.

The reader refuses what is not here; the manual page agentdoctor-rules(5) is made from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agentdoctor.model import Severity

LOGS = ("agent", "deployment", "scripts", "update", "journal", "text")
AGENTS = ("1.x", "2.x")
WHERE = ("instance", "operator", "repository", "console")
RISKS = ("none", "low", "disruptive", "destructive", "from-host")
FREQUENCIES = ("common", "occasional", "rare")
EXCERPTS = ("line", "stderr")
REVISIONS = ("current", "last")
SEEN = ("live", "source")
SEVERITIES = tuple(severity.value for severity in Severity)

REQUIRED = "required"
_TEXT, _TEXTS, _PATTERNS = "text", "a text or a list of texts", "a pattern or a list of patterns"
_TRUTH, _DURATION = "true or false", "a duration such as 30s, 10m or 1h"


class Key(NamedTuple):
    """A key: what may stand there, its default (nothing: there is none), its meaning, and the words it is one of."""

    name: str
    kind: str
    default: str
    about: str
    words: tuple[str, ...] = ()


def names(keys: Sequence[Key]) -> list[str]:
    """The names alone."""
    return [key.name for key in keys]


RULE = (
    Key("title", _TEXT, REQUIRED, "The state in a few words; names in braces are replaced."),
    Key("severity", _TEXT, REQUIRED, "By what happens to deployments: they fail now, or will.", SEVERITIES),
    Key("area", _TEXT, REQUIRED, "What it is about; reports group by it."),
    Key("agents", _TEXTS, "both", "The generations of the agent that it holds for.", AGENTS),
    Key("depends_on", _TEXTS, "", "Ids of root causes that hide this one while they hold."),
    Key("hold", _DURATION, "0s", "How long it must last before it is told."),
    Key("frequency", _TEXT, "occasional", "Among the causes of one symptom.", FREQUENCIES),
    Key("signature", "mapping", "", "What a log says when it happens; a rule without one looks at the host alone."),
    Key("confirm", "mapping, or a list of mappings", "", "Probes, and what each must have said."),
    Key("rules_out", _TRUTH, "true", "Whether evidence that differs rules the cause out. Say false where it passes."),
    Key("context", _TEXTS, "", "Probes whose answer is shown beside the proof and proves nothing."),
    Key("standing", _TRUTH, "false", "Whether the evidence alone is a finding, without a line in a log."),
    Key("latent", _TEXT, "that of severity", "The severity as long as nothing has failed.", SEVERITIES),
    Key("subject", _TEXT, "", "The named group that says what it is about: a finding for each."),
    Key("excerpt", _TEXT, "line", "What is shown of the log: the line, or the last that the hook printed.", EXCERPTS),
    Key("bundle", _TRUTH, "false", "Whether lint alone tells it, from a bundle: no signature, no confirm, no samples."),
    Key("cause", _TEXT, REQUIRED, "Why it happens, for somebody at 3 a.m.; names in braces are replaced."),
    Key("remediation", "a list of mappings", REQUIRED, "What to do, step by step."),
    Key("recovery", "mapping", REQUIRED, "What shows that it is over. Silence never does."),
    Key("docs", _TEXT, REQUIRED, "The address of a page that says more."),
    Key(
        "samples",
        "a list of mappings",
        "none",
        "Real lines that match, and the nearest that do not; rules lint wants both.",
    ),
)

SIGNATURE = (
    Key("log", _TEXTS, "agent", "The logs that are searched.", LOGS),
    Key("any", _PATTERNS, "", "Any of these in a record's message."),
    Key("output", _PATTERNS, "", "Or any of these in the last that a failed hook printed."),
    Key("unless", _PATTERNS, "", "It is another failure where the text holds one of these."),
    Key("revision", _TEXT, "any", "Only records about that revision, by what the agent calls it.", REVISIONS),
    Key("times", "whole number", "1", "How often it must be seen."),
    Key("within", _DURATION, "0s", "In how much time that many are counted."),
    Key("otherwise", _TRUTH, "false", "Also failed lifecycle events that no other rule explains."),
)

BOUNDS = (
    Key("min", "number", "", "The value is at least this."),
    Key("max", "number", "", "The value is at most this."),
    Key("not", "value", "", "The value is anything but this."),
)

STEP = (
    Key("text", _TEXT, REQUIRED, "What is done, apart from the command."),
    Key("where", _TEXT, REQUIRED, "Where the command is run.", WHERE),
    Key("command", _TEXT, "", "What to type; names in braces are replaced and quoted for the shell."),
    Key("agents", _TEXTS, "both", "The generations that need the step.", AGENTS),
    Key("risk", _TEXT, "none", "What it may break; from-host is read from the unit on the host.", RISKS),
    Key("undo", _TEXT, "", "What takes it back."),
)

RECOVERY = (
    Key("log", _TEXTS, "agent", "The logs that are searched.", LOGS),
    Key("any", _PATTERNS, "", "A line that shows the end of it."),
    Key(
        "event", _TEXT, "", "The lifecycle event that must succeed in a later deployment; same is the one that failed."
    ),
    Key("evidence", _TRUTH, "false", "Whether the host shows the end: what was confirmed holds no more."),
)

SAMPLE = (
    Key("agent", _TEXT, REQUIRED, "The version of the agent that wrote it."),
    Key("text", _TEXT, REQUIRED, "The line, exactly as it was logged."),
    Key("match", _TRUTH, "true", "Say false for a near miss."),
    Key("log", _TEXT, "agent", "The log that it stood in.", LOGS),
    Key("seen", _TEXT, "live", "In a log, or only in the source of the agent.", SEEN),
)
