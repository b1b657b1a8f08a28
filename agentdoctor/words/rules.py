"""Words for what ``probes/rules.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase


def _site_rules(value: Mapping[str, Any]) -> str:
    return str(value.get("first") or "every rule of this site can be used")


PHRASES: dict[str, Phrase] = {
    "rules.site": _site_rules,
    "rules.site.broken": _site_rules,
}
NAMED = {
    "rules.site.broken": "the number of site rules that cannot be used",
}
