"""The manual pages by file name."""

from __future__ import annotations

from collections.abc import Mapping

import program
import roff
import rules_page
import settings_page

from agentdoctor import __version__

_PAGES = {
    ("agentdoctor", 1): program.page,
    ("agentdoctor.yaml", 5): settings_page.page,
    ("agentdoctor-rules", 5): rules_page.page,
}


def pages(date: str) -> Mapping[str, str]:
    """All pages. ``date``: as YYYY-MM-DD, in their title line."""
    source = f"agentdoctor {__version__}"
    return {
        f"{name}.{section}": roff.title(name, section, date, source) + page()
        for (name, section), page in _PAGES.items()
    }
