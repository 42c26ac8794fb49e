"""What a catalogue must keep to, so that its names, versions and patterns can be read wherever they are used."""

from __future__ import annotations

import re
from collections.abc import Iterable

from questlog.errors import SettingsError
from questlog.events.fields import EventType, Field, Kind

NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")


def check(types: Iterable[EventType], shared: Iterable[Field]) -> None:
    """Refuse event types that cannot stand side by side, or beside the `shared` fields of all of them.

    Raises:
        SettingsError: names the type or field, and what is allowed.
    """
    _refuse_bad_names(types)
    _refuse_two_kinds_of_one_field(types, shared)
    for known in types:
        _refuse_gaps(known)
        for field in known.fields:
            _refuse_new_but_required(known, field)
            _refuse_bad_pattern(known, field)


def _refuse_bad_names(types: Iterable[EventType]) -> None:
    seen: set[str] = set()
    for known in types:
        if known.name in seen or not NAME.fullmatch(known.name):
            raise SettingsError(f"event type {known.name!r}: a name is given once and matches {NAME.pattern}")
        seen.add(known.name)


def _refuse_two_kinds_of_one_field(types: Iterable[EventType], shared: Iterable[Field]) -> None:
    kinds: dict[str, Kind] = {field.name: field.kind for field in shared}
    for known in types:
        for field in known.fields:
            if kinds.setdefault(field.name, field.kind) is not field.kind:
                raise SettingsError(f"field {known.name}.{field.name} is {field.kind}, elsewhere {kinds[field.name]}")


def _refuse_gaps(known: EventType) -> None:
    """A version is brought by a field; version 1 may have none."""
    brought = {1, *(field.since for field in known.fields)}
    if missing := sorted(set(range(1, known.version)) - brought):
        raise SettingsError(
            f"event type {known.name!r} has version {known.version}, but no field with since={missing[0]}: "
            "the versions count from 1 without a gap"
        )


def _refuse_new_but_required(known: EventType, field: Field) -> None:
    if field.since < 1:
        raise SettingsError(f"field {known.name}.{field.name} has since={field.since}: versions count from 1")
    if field.required and field.since > 1:
        raise SettingsError(
            f"field {known.name}.{field.name} is required and has since={field.since}: clients of an older version do "
            "not send it; make it optional"
        )


def _refuse_bad_pattern(known: EventType, field: Field) -> None:
    try:
        re.compile(field.pattern)
    except re.error as error:
        raise SettingsError(
            f"field {known.name}.{field.name} has the pattern {field.pattern!r}, which Python cannot read ({error}): "
            "keep to what the syntaxes of Python, Java, Rust and ECMAScript have in common"
        ) from None
