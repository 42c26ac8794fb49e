"""The application with a publisher that records, for the tests of the API's rules."""

from collections.abc import Sequence
from pathlib import Path

from flask.testing import FlaskClient

from questlog.api.app import create_app
from questlog.errors import TransportError
from questlog.events import CATALOGUE, Catalogue
from questlog.events.wire import Record
from questlog.settings import Settings

SWORD = {"item": "iron", "price": 120}
NDJSON = "application/x-ndjson"


class Api:
    """A client, what it published, and whether Kafka is there."""

    def __init__(self, folder: Path, catalogue: Catalogue = CATALOGUE, **given: object) -> None:
        self.settings = Settings.load(data_dir=folder, **given)
        self.published: list[Record] = []
        self.trouble: Exception | None = None
        self.app = create_app(self.settings, catalogue, self._publish, self._check)
        self.client: FlaskClient = self.app.test_client()

    def _publish(self, records: Sequence[Record]) -> None:
        self._check()
        self.published.extend(records)

    def _check(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    def without_kafka(self) -> "Api":
        self.trouble = TransportError("Kafka is away")
        return self
