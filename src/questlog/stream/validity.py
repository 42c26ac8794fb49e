"""The catalogue's rules as Spark SQL: whether an event is valid, and what is wrong with it, in words.

The rules are those of `questlog.events.validation`, applied to JSON: all that the API accepted is valid here. They are
written for records with the columns ``value``, ``event_type`` and ``event``, as `transforms.with_event` gives them.
As text they reach Spark's JVM at once, where some thousand Column objects would each take calls of their own.
"""

from __future__ import annotations

from collections.abc import Iterable

from questlog.events import Catalogue, Field, Kind
from questlog.events.catalogue import COMMON, STAMPED
from questlog.events.schema import EVENT_TYPE
from questlog.events.validation import EARLIEST, LATEST

SHOWN_CHARACTERS = 100
RFC_3339 = r"\A\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d)\z"
NOTHING_AFTER_A_BRACE = r"\A[^}]*+[}\s]*+\z"
"""After the first closing brace come only others; a search for what must not be there would try each character."""
NOT_TEXT = r"(?:-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|[\[{](?s:.*))"
"""Spark gives numbers, truth values, lists and objects as their JSON: text that looks so is looked up in the record."""
CORRUPT = "_corrupt_record"
JSON = "CAST(value AS STRING)"

_SHARED = tuple(field for field in (*STAMPED, *COMMON) if field.name != EVENT_TYPE)


def literal(text: str) -> str:
    """A text as Spark SQL writes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def time(column: str) -> str:
    """The instant that a text of RFC 3339 names; null for any other text, one without a zone included."""
    return f"CASE WHEN rlike({column}, {literal(RFC_3339)}) THEN TRY_CAST({column} AS TIMESTAMP) END"


def is_broken() -> str:
    """Whether a value is anything but exactly one JSON object in UTF-8.

    Spark's parser stops after the first object, so a value in which something follows a closing brace is parsed again,
    as a list that must have one element.
    """
    elements = f"from_json(concat('[', {JSON}, ']'), 'ARRAY<STRUCT<event_id STRING>>')"
    several = f"NOT rlike({JSON}, {literal(NOTHING_AFTER_A_BRACE)}) AND coalesce(size({elements}), 0) != 1"
    is_object = rf"rlike({JSON}, '\\A\\s*\\{{') AND get_json_object({JSON}, '$') IS NOT NULL"
    unparsed = f"event.{CORRUPT} IS NOT NULL AND NOT ({is_object})"
    return f"(value IS NULL OR event IS NULL OR NOT is_valid_utf8({JSON}) OR ({unparsed}) OR ({several}))"


def is_valid(catalogue: Catalogue) -> str:
    """Whether an event keeps to the catalogue."""
    checks = [f"event.{EVENT_TYPE} <=> {EVENT_TYPE}"]
    checks += [_is_fine(field, required=True) for field in _SHARED]
    checks += [
        f"({EVENT_TYPE} NOT IN {types} OR {_is_fine(field, required=field.required)})"
        for field, types in _owners(catalogue)
    ]
    return f"({' AND '.join(checks)})"


def problems(catalogue: Catalogue) -> str:
    """All that is wrong with an event that is not valid, joined by ``; ``."""
    said = f"event.{EVENT_TYPE}"
    other = f"concat({quoted(EVENT_TYPE, said, 'that of the header, ')}, {EVENT_TYPE})"
    sentences = [f"CASE WHEN NOT ({said} <=> {EVENT_TYPE}) THEN {other} END"]
    sentences += [_problem(field, "true", required=True) for field in _SHARED]
    sentences += [
        _problem(field, f"{EVENT_TYPE} IN {types}", required=field.required) for field, types in _owners(catalogue)
    ]
    return f"concat_ws('; ', {', '.join(sentences)})"


def quoted(name: str, text: str, allowed: str) -> str:
    """A sentence: the field, its value, cut, and what is allowed."""
    shown = f"make_valid_utf8(left(coalesce({text}, ''), {SHOWN_CHARACTERS}))"
    before, after = f"{name}='", f"': must be {allowed}"
    return f"concat({literal(before)}, {shown}, {literal(after)})"


def _owners(catalogue: Catalogue) -> Iterable[tuple[Field, str]]:
    """Each type's own fields, with the types as a list; types that define a field alike share one check."""
    owners: dict[Field, list[str]] = {}
    for event_type in catalogue:
        for field in event_type.fields:
            owners.setdefault(field, []).append(literal(event_type.name))
    return [(field, f"({', '.join(types)})") for field, types in owners.items()]


def _problem(field: Field, applies: str, *, required: bool) -> str:
    """Null if the field is as it must be or does not apply, else a sentence."""
    text = _text(field)
    missing = literal(f"{field.name}: required, but missing; must be {field.allowed}")
    sentence = f"CASE WHEN {text} IS NULL THEN {missing} ELSE {quoted(field.name, text, field.allowed)} END"
    return f"CASE WHEN {applies} AND NOT {_is_fine(field, required=required)} THEN {sentence} END"


def _is_fine(field: Field, *, required: bool) -> str:
    # A value that did not parse is null, as one that was not given: the record tells which. Whole events are not asked.
    unread = "false" if field.kind is Kind.TIMESTAMP else f"event.{CORRUPT} IS NULL"
    absent = "false" if required else f"{unread} OR get_json_object({JSON}, {literal(f'$.{field.name}')}) IS NULL"
    value = f"event.`{field.name}`"
    return f"(CASE WHEN {value} IS NULL THEN {absent} ELSE {_is_allowed(field, value)} END)"


def _text(field: Field) -> str:
    return f"coalesce(get_json_object({JSON}, {literal(f'$.{field.name}')}), CAST(event.`{field.name}` AS STRING))"


def _is_allowed(field: Field, value: str) -> str:
    if field.choices:
        return f"{value} IN ({', '.join(literal(choice) for choice in field.choices)})"
    if field.kind is Kind.STRING:
        whole, quoted_in_json = rf"(?:{field.pattern})\z", rf'"{field.name}"\s*:\s*"'
        sure, unsure = literal(rf"\A(?!{NOT_TEXT}\z){whole}"), literal(rf"\A{whole}")
        is_text = f"(rlike({value}, {sure}) OR rlike({value}, {unsure}) AND rlike({JSON}, {literal(quoted_in_json)}))"
        return f"length({value}) <= {field.max_length} AND {is_text}"
    if field.kind is Kind.TIMESTAMP:
        return f"{value} >= TIMESTAMP '{EARLIEST.isoformat()}' AND {value} < TIMESTAMP '{LATEST.isoformat()}'"
    return _is_in_range(field, value)


def _is_in_range(field: Field, value: str) -> str:
    checks = ["true"]
    if field.kind is Kind.NUMBER:
        checks.append(f"NOT isnan({value}) AND abs({value}) != DOUBLE('Infinity')")
    if field.minimum is not None:
        checks.append(f"{value} >= {field.minimum}")
    if field.maximum is not None:
        checks.append(f"{value} <= {field.maximum}")
    return " AND ".join(checks)
