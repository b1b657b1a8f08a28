"""The rules of this site: can they be used?"""

from __future__ import annotations

from agentdoctor.probes import CannotLook, Look, Values, probe


@probe("rules.site", source="disk")
def site(look: Look) -> Values:
    """``broken``: how many rule files cannot be used; ``first``: what is wrong with the first, with file and line.

    Whoever composes a run has read the rules already and hands the answer in with the host.
    """
    if look.host.broken_rules is None:
        raise CannotLook("the rules of this site were not read", skip=True)
    broken = look.host.broken_rules
    return {"broken": len(broken), "first": broken[0] if broken else ""}
