"""What the logs have shown, as texts that outlive the process: a symptom each, and what else counting them needs.

The logs of yesterday may be rotated away when the service starts again. So it does not read them twice: what it knew is
stored with the place in the logs up to which it knew it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from typing import Any

from agentdoctor.model import Deployment, Record, Report
from agentdoctor.symptoms import Symptom, Symptoms

REPORTED = "\0reported"  # no symptom has such a key: which events the agent itself told of
_REPORTED_KEPT = 200  # a deployment has ten events, and a host deploys a few times a day
TEXT_KEPT = 8192  # of a record's message: what matched is at its beginning, and rules look no further than half of it


_DEPLOYMENT = tuple(field.name for field in fields(Deployment))
_REPORT = tuple(field.name for field in fields(Report))
_json = json.JSONEncoder(separators=(",", ":")).encode


def texts(symptoms: Symptoms) -> dict[str, str]:
    """Key to JSON text, for each symptom seen."""
    known = {_key(symptom.candidates, symptom.subject): _text(symptom) for symptom in symptoms.seen()}
    reported = list(symptoms.reported)[-_REPORTED_KEPT:]
    return {**known, REPORTED: json.dumps(reported)} if reported else known


def recall(symptoms: Symptoms, known: Mapping[str, str], ids: Collection[str]) -> None:
    """Give symptoms back what ``texts`` made of them, in an older process perhaps: ``ids`` are the rules of today.

    A text that cannot be read any more is left out; the log will tell again what still happens.
    """
    for key, text in known.items():
        try:
            value = json.loads(text)
            if key == REPORTED:
                symptoms.reported.update({(str(id_), str(event)): None for id_, event in value})
                continue
            symptom = _symptom(value)
        except (ValueError, TypeError, KeyError):
            continue
        if set(symptom.candidates) <= set(ids):
            symptoms.take_back(symptom)


def _key(candidates: Iterable[str], subject: str) -> str:
    return "\0".join((" ".join(candidates), subject))


def _text(symptom: Symptom) -> str:
    value = {
        "candidates": symptom.candidates,
        "subject": symptom.subject,
        "details": symptom.details,
        "deployment": {name: getattr(symptom.deployment, name) for name in _DEPLOYMENT},
        "count": symptom.count,
        "first_at": symptom.first_at,
        "last_at": symptom.last_at,
        "over": symptom.over,
        "identifier": symptom.identifier,
        "recent": list(symptom.recent),
        "established": symptom.established,
        "cause": symptom.cause,
        "record": _fields(symptom.record),
        "over_by": _fields(symptom.over_by),
        "last": _fields(symptom.last) if symptom.last is not symptom.record else "record",
    }
    return _json(value)


def _fields(record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    report = record.report
    return {
        **record._asdict(),
        "message": record.message[:TEXT_KEPT],
        "deployment": {name: getattr(record.deployment, name) for name in _DEPLOYMENT},
        "report": {name: getattr(report, name) for name in _REPORT} if report else None,
    }


def _symptom(value: Mapping[str, Any]) -> Symptom:
    record = _record(value["record"])
    if record is None:
        raise ValueError("a symptom without a record")
    return Symptom(
        candidates=tuple(value["candidates"]),
        subject=value["subject"],
        record=record,
        details=dict(value["details"]),
        deployment=Deployment(**value["deployment"]),
        count=value["count"],
        first_at=value["first_at"],
        last_at=value["last_at"],
        over=value["over"],
        over_by=_record(value["over_by"]),
        last=record if value["last"] == "record" else _record(value["last"]),
        identifier=value["identifier"],
        recent=deque(value["recent"]),
        established=value["established"],
        cause=value["cause"],
    )


def _record(fields: Mapping[str, Any] | None) -> Record | None:
    if fields is None:
        return None
    report = Report(**fields["report"]) if fields["report"] else None
    return Record(**{**fields, "deployment": Deployment(**fields["deployment"]), "report": report})
