"""Joins the API to Kafka: what a WSGI server loads, as ``questlog.wsgi:create``."""

from __future__ import annotations

from wsgiref.types import WSGIApplication

from questlog.api.app import create_app
from questlog.errors import TransportError
from questlog.events import CATALOGUE
from questlog.settings import Settings
from questlog.transport import topics
from questlog.transport.producer import Publisher


def create(settings: Settings | None = None) -> WSGIApplication:
    """The application that publishes to Kafka; the settings are the environment's unless given.

    The topic has to be there (`questlog.transport.topics.create_topic`); until it is, ``/health`` and every event are
    answered with 503.
    """
    known = settings or Settings.load()

    def check() -> None:
        if not topics.topic_exists(known, timeout=known.ack_timeout / 2):
            raise TransportError(f"Kafka {known.kafka_bootstrap} has no topic {known.topic}: run `questlog catalog`")

    return create_app(known, CATALOGUE, Publisher(known).publish, check)
