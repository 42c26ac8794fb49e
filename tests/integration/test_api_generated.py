"""Requests that are made up from the API's own description: each is accepted, or refused with a reason, at once."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import settings as with_settings
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi import checks

from questlog import pipeline
from questlog.api import openapi
from questlog.events import CATALOGUE
from questlog.settings import Settings

OPERATIONS = 24
CASES = int(os.environ.get("GENERATED_CASES", "2000"))
"""Requests in all; a long run takes 20,000."""
AT_ONCE = 1.0  # seconds for an answer
SLACK = 2.0  # seconds more, for a machine on which everything else runs as well
FEW = with_settings(
    max_examples=max(1, CASES // OPERATIONS),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

load_all_checks()
described = schemathesis.openapi.from_dict(openapi.document(Settings.load(), CATALOGUE))


@schemathesis.serializer("application/x-ndjson")
def lines(_context: object, value: Any) -> bytes:
    """The list that the description speaks of, an element on each line."""
    parts = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(part) for part in parts).encode()


@pytest.fixture(scope="module")
def serving(settings: Settings) -> Iterator[Settings]:
    here = settings.in_namespace("test_generated")
    with pipeline.api(here) as serving:
        yield serving
    pipeline.create(here)
    pipeline.reset(here)


def on_a_few_days(sent: Any) -> Any:
    """The same with its times moved to one of four days: each day is a folder to land in."""
    if isinstance(sent, list):
        return [on_a_few_days(part) for part in sent]
    if not isinstance(sent, dict) or not isinstance(sent.get("event_time"), str):
        return sent
    text = sent["event_time"]
    return {**sent, "event_time": f"2026-01-0{1 + len(text) % 4}{text[10:]}"}


@described.parametrize()
@FEW
def test_whatever_is_sent_is_answered_at_once_as_the_description_says(
    case: schemathesis.Case, serving: Settings
) -> None:
    case.body, case.query = on_a_few_days(case.body), on_a_few_days(case.query)
    answer = case.call(base_url=serving.api_url)

    assert answer.status_code < 500 or answer.status_code == 503, answer.text
    assert answer.elapsed < AT_ONCE + SLACK
    case.validate_response(
        answer,
        checks=[
            checks.status_code_conformance,
            checks.content_type_conformance,
            checks.response_schema_conformance,
        ],
    )


def test_all_that_was_accepted_is_accounted_for_afterwards(serving: Settings) -> None:
    sent = requests.get(f"{serving.api_url}/metrics", timeout=10).text
    pipeline.stream(serving)
    ledger = pipeline.ledger(serving)

    assert "questlog_refused_total" in sent
    assert ledger.problems == ()
    assert ledger.total("accepted") == ledger.total("in_kafka") > CASES / 20
