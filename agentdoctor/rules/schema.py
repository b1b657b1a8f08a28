"""One rule file, from YAML text to a Rule. Unknown keys and wrong types are errors with file and line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import yaml

from agentdoctor.model import Recovery, Rule, Sample, Severity, Signature, Step
from agentdoctor.nearest import nearest
from agentdoctor.rules import RuleError
from agentdoctor.rules import keys as known
from agentdoctor.rules.keys import AGENTS, EXCERPTS, FREQUENCIES, LOGS, REVISIONS, RISKS, SEEN, SEVERITIES, WHERE

_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Mapping(dict[str, Any]):
    """A YAML mapping that remembers the line of each key."""

    def __init__(self, origin: str, line: int) -> None:
        super().__init__()
        self.origin, self.line, self.lines = origin, line, dict[str, int]()

    def fail(self, text: str, key: str = "") -> RuleError:
        return RuleError(f"{self.origin}:{self.lines.get(key, self.line)}: {text}")

    def only(self, allowed: Iterable[str]) -> None:
        """Refuse keys that nobody reads: a misspelt key must not be a silent default."""
        names = list(allowed)
        for key in self:
            if key not in names:
                raise self.fail(f"unknown key {key!r}{nearest(key, names)}", key)

    def get_as(self, key: str, kind: type, default: Any = None) -> Any:
        if key not in self:
            if default is None:
                raise self.fail(f"{key!r} is missing")
            return default
        value = self[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.fail(f"{key!r} must be a {_KINDS[kind]}, not {value!r}", key)
        return value.strip() if isinstance(value, str) else value

    def one_of(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        value: str = self.get_as(key, str, default)
        if value not in allowed:
            raise self.fail(f"{key!r} must be one of {', '.join(allowed)}, not {value!r}{nearest(value, allowed)}", key)
        return value

    def texts(self, key: str, allowed: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A text, or a list of texts, as a tuple."""
        value = self.get(key, [])
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(x, str) and x for x in values):
            raise self.fail(f"{key!r} must be a text or a list of texts", key)
        for text in values:
            if allowed and text not in allowed:
                raise self.fail(f"{key!r}: {text!r} is not one of {', '.join(allowed)}{nearest(text, allowed)}", key)
        return tuple(values)

    def seconds(self, key: str) -> float:
        """A duration such as 30s, 10m or 1h."""
        text = str(self.get(key, "0s"))
        found = re.fullmatch(r"(\d+)([smh])", text)
        if not found:
            raise self.fail(f"{key!r} must be a duration such as 30s, 10m or 1h, not {text!r}", key)
        return float(int(found[1]) * _SECONDS[found[2]])


_KINDS: dict[type, str] = {str: "text", list: "list", int: "whole number", bool: "true or false", Mapping: "mapping"}


def parse(text: str, origin: str) -> Rule:
    """Read one rule file. ``origin`` is its path; its stem is the rule's id."""
    rule_id = origin.rsplit("/", 1)[-1].removesuffix(".yaml")
    document = _document(text, origin)
    if not _ID.fullmatch(rule_id):
        raise document.fail(f"the file name {rule_id!r} is not a kebab-case id of two words or more")
    return _rule(document, rule_id)


def _document(text: str, origin: str) -> Mapping:
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "not YAML"
        raise RuleError(f"{origin}:{mark.line + 1 if mark else 1}: {problem}") from None
    if not isinstance(node, yaml.MappingNode):
        raise RuleError(f"{origin}:1: a rule file is a mapping of keys")
    result = _plain(node, origin)
    assert isinstance(result, Mapping)
    return result


_scalar = yaml.constructor.SafeConstructor()


def _plain(node: yaml.Node, origin: str) -> Any:
    """YAML nodes to Python values, keeping the lines of keys."""
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, origin) for item in node.value]
    if not isinstance(node, yaml.MappingNode):
        return _scalar.construct_object(node)
    result = Mapping(origin, node.start_mark.line + 1)
    for key_node, value_node in node.value:
        key = str(key_node.value)
        if key in result:
            raise RuleError(f"{origin}:{key_node.start_mark.line + 1}: key {key!r} stands twice")
        result.lines[key] = key_node.start_mark.line + 1
        result[key] = _plain(value_node, origin)
    return result


def _rule(doc: Mapping, rule_id: str) -> Rule:
    doc.only(known.names(known.RULE))
    rule = Rule(
        id=rule_id,
        title=doc.get_as("title", str),
        severity=Severity(doc.one_of("severity", SEVERITIES)),
        area=doc.get_as("area", str),
        agents=doc.texts("agents", AGENTS) or AGENTS,
        depends_on=doc.texts("depends_on"),
        hold=doc.seconds("hold"),
        frequency=doc.one_of("frequency", FREQUENCIES, "occasional"),
        signature=_signature(doc),
        confirm=_confirm(doc),
        rules_out=doc.get_as("rules_out", bool, True),
        context=doc.texts("context"),
        standing=doc.get_as("standing", bool, False),
        latent=Severity(doc.one_of("latent", SEVERITIES)) if "latent" in doc else None,
        subject=doc.get_as("subject", str, ""),
        excerpt=doc.one_of("excerpt", EXCERPTS, "line"),
        bundle=doc.get_as("bundle", bool, False),
        cause=" ".join(doc.get_as("cause", str).split()),
        remediation=tuple(_items(doc, "remediation", _step)),
        recovery=_recovery(doc),
        docs=doc.get_as("docs", str),
        samples=tuple(_items(doc, "samples", _sample)),
        origin=doc.origin,
    )
    _check_whole(rule, doc)
    return rule


def _check_whole(rule: Rule, doc: Mapping) -> None:
    if not rule.remediation:
        raise doc.fail("'remediation' needs at least one step", "remediation")
    if rule.bundle:
        if rule.signature or rule.confirm:
            raise doc.fail("bundle: true is for what lint alone tells, without signature and confirm", "bundle")
        return
    if not rule.signature and not rule.confirm:
        raise doc.fail("a rule needs a signature, or a confirm of the host, or both")
    if not rule.signature and not rule.standing:
        raise doc.fail("a rule without signature is a check of the host alone: say standing: true")
    if rule.standing and not rule.confirm:
        raise doc.fail("standing: true needs a confirm", "standing")
    if not rule.rules_out and not rule.confirm:
        raise doc.fail("rules_out: false needs a confirm", "rules_out")


def _items(doc: Mapping, key: str, build: Callable[[Mapping], Any]) -> Iterable[Any]:
    for item in doc.get_as(key, list, []):
        if not isinstance(item, Mapping):
            raise doc.fail(f"each item of {key!r} is a mapping", key)
        yield build(item)


def _signature(doc: Mapping) -> Signature | None:
    if "signature" not in doc:
        return None
    part: Mapping = doc.get_as("signature", Mapping)
    part.only(known.names(known.SIGNATURE))
    patterns = part.texts("any") + part.texts("output")
    for pattern in patterns + part.texts("unless"):
        _check_pattern(pattern, part)
    if not patterns:
        raise part.fail("'any' or 'output' needs at least one pattern", "any")
    return Signature(
        log=part.texts("log", LOGS) or ("agent",),
        any=part.texts("any"),
        output=part.texts("output"),
        unless=part.texts("unless"),
        revision=part.one_of("revision", (*REVISIONS, ""), ""),
        times=part.get_as("times", int, 1),
        within=part.seconds("within"),
        otherwise=part.get_as("otherwise", bool, False),
    )


def _check_pattern(pattern: str, part: Mapping) -> None:
    from agentdoctor.linear import PatternError, check

    try:
        check(pattern)
    except PatternError as error:
        raise part.fail(f"pattern {pattern!r}: {error}", "any") from None


def _confirm(doc: Mapping) -> tuple[dict[str, dict[str, Any]], ...]:
    """What must have been said, or a list of such: any of them is proof."""
    ways = doc.get("confirm", [])
    if not isinstance(ways, list):
        return (_proof(doc.get_as("confirm", Mapping)),)
    if not all(isinstance(way, Mapping) for way in ways):
        raise doc.fail("each item of 'confirm' is a mapping of probes", "confirm")
    return tuple(_proof(way) for way in ways)


def _proof(part: Mapping) -> dict[str, dict[str, Any]]:
    for probe, fields in part.items():
        if not isinstance(fields, Mapping) or not fields:
            raise part.fail(f"{probe!r} must say which fields it must have", probe)
        for expected in fields.values():
            if isinstance(expected, Mapping):
                expected.only(known.names(known.BOUNDS))
    return {probe: {name: _bare(expected) for name, expected in fields.items()} for probe, fields in part.items()}


def _bare(expected: Any) -> Any:
    return dict(expected) if isinstance(expected, Mapping) else expected


def _step(item: Mapping) -> Step:
    item.only(known.names(known.STEP))
    return Step(
        text=" ".join(item.get_as("text", str).split()),
        where=item.one_of("where", WHERE),
        command=item.get_as("command", str, ""),
        agents=item.texts("agents", AGENTS),
        risk=item.one_of("risk", RISKS, "none"),
        undo=item.get_as("undo", str, ""),
    )


def _recovery(doc: Mapping) -> Recovery:
    if doc.get("bundle") is True and "recovery" not in doc:
        return Recovery()  # lint finds it no more
    part: Mapping = doc.get_as("recovery", Mapping)
    part.only(known.names(known.RECOVERY))
    for pattern in part.texts("any"):
        _check_pattern(pattern, part)
    recovery = Recovery(
        log=part.texts("log", LOGS) or ("agent",),
        any=part.texts("any"),
        event=part.get_as("event", str, ""),
        evidence=part.get_as("evidence", bool, False),
    )
    if not (recovery.any or recovery.event or recovery.evidence):
        raise doc.fail("'recovery' must say how the failure clears: any, event or evidence", "recovery")
    return recovery


def _sample(item: Mapping) -> Sample:
    item.only(known.names(known.SAMPLE))
    return Sample(
        agent=item.get_as("agent", str),
        text=item["text"] if isinstance(item.get("text"), str) else item.get_as("text", str),
        match=item.get_as("match", bool, True),
        log=item.one_of("log", LOGS, "agent"),
        seen=item.one_of("seen", SEEN, "live"),
    )
