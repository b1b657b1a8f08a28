"""agentdoctor.yaml(5), from the table of the settings."""

from __future__ import annotations

import roff

from agentdoctor.settings import DEFAULT_PATH, KEYS, KINDS, Key

SUMMARY = "settings of agentdoctor"
_ABOUT = """
A YAML file of few keys. Everything has a default, so the file may be absent or empty. A dot in a name below is a part
of the file: sns.topic_arn is topic_arn inside of sns.

A key that is not known, one that stands twice and a value that does not fit are errors, told with the line; no verb
runs with settings that cannot be used, and a service that reads them again keeps the old ones. null and an empty text
are the default.
"""
_EXAMPLE = """
sns:
  topic_arn: arn:aws:sns:eu-west-1:123456789012:codedeploy-alerts
  fleet_size: 200
"""


def page() -> str:
    """The page, without its title line."""
    return "".join(
        (
            roff.section("Name"),
            roff.first(f"agentdoctor.yaml \\- {roff.text(SUMMARY)}"),
            roff.section("Synopsis"),
            roff.first(roff.italic(DEFAULT_PATH)),
            roff.section("Description"),
            roff.prose(_ABOUT),
            roff.section("Keys"),
            *map(_key, KEYS),
            roff.section("Examples"),
            roff.first("Alerts of a fleet of 200 hosts:"),
            roff.example(_EXAMPLE),
            roff.paragraph("What is in force, and what it comes from; then try whether alerts arrive, and use it:"),
            roff.example("agentdoctor config show\nsudo agentdoctor notify test\nsudo systemctl reload agentdoctor"),
            roff.section("See also"),
            roff.first("\\fBagentdoctor\\fR(1), \\fBagentdoctor\\-rules\\fR(5)"),
        )
    )


def _key(key: Key) -> str:
    default = "nothing" if key.default is None else str(key.default)
    words = f"{key.about} It is {KINDS[key.kind]}; the default is {default}."
    return roff.item(roff.bold(key.name), roff.text(words))
