"""Publish records: a call returns once Kafka has acknowledged all of them, or says that it has not."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Sequence

from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError
from kafka.producer.future import FutureRecordMetadata

from questlog.errors import TransportError
from questlog.events.wire import Record, pack
from questlog.settings import Settings
from questlog.transport.client import explain
from questlog.transport.group import Group
from questlog.transport.link import Link, delivery_time, woken_once
from questlog.transport.partitions import of_key


class Publisher:
    """Publishes to the settings' topic. Thread-safe; touches no network until the first call in each process.

    Threads that publish single records at the same time share records and waits (`questlog.transport.group`); one that
    publishes several waits for its own alone. What is held in memory is what callers are waiting for: a record that is
    not acknowledged in time is given up.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # A producer does not survive a fork (dpkp/kafka-python#1732): each process finds its own here.
        self._links: dict[int, tuple[Link, Group]] = {}

    def publish(self, records: Sequence[Record]) -> None:
        """Return once all in-sync replicas have every record; events of one partition go packed.

        Raises:
            TransportError: not acknowledged within `Settings.ack_timeout` seconds. Records that were on their way may
                be in Kafka all the same.
        """
        deadline = time.monotonic() + self._settings.ack_timeout
        link, group = self._of_this_process()
        if len(records) == 1:
            group.publish(records[0], deadline)
        else:
            self._send(link, records, deadline)

    def _of_this_process(self) -> tuple[Link, Group]:
        if known := self._links.get(os.getpid()):
            return known
        link = Link(self._settings)
        return self._links.setdefault(os.getpid(), (link, Group(functools.partial(self._send, link))))

    def _send(self, link: Link, records: Sequence[Record], deadline: float) -> None:
        client = link.client(deadline)
        begun = time.monotonic()
        try:
            packed = records if len(records) == 1 else self._packed(client, records)
            with woken_once(client):
                sent = [client.send(self._settings.topic, each.value, each.key, list(each.headers)) for each in packed]
            acknowledged = _wait(sent, deadline)
        except (KafkaError, ValueError) as error:  # ValueError: the topic has gone in this moment
            if not isinstance(error, MessageSizeTooLargeError):
                link.drop(client, at_once=False)
            raise TransportError(explain(self._settings, f"publishing {len(records)} records", error)) from error
        if not acknowledged:
            if time.monotonic() - begun > delivery_time(self._settings):  # it should have given up: it hangs
                link.drop(client, at_once=True)
            late = TimeoutError(f"not acknowledged within {self._settings.ack_timeout} s")
            raise TransportError(explain(self._settings, f"publishing {len(records)} records", late))

    def _packed(self, client: KafkaProducer, records: Sequence[Record]) -> list[Record]:
        numbers = sorted(client.partitions_for(self._settings.topic))
        return pack(records, functools.partial(of_key, numbers))

    def close(self) -> None:
        """Send what waits and close this process's connection; publishing again opens another."""
        if known := self._links.pop(os.getpid(), None):
            known[0].close()


def _wait(sent: Sequence[FutureRecordMetadata], deadline: float) -> bool:
    """Whether all are acknowledged before the deadline of `time.monotonic`; raises the KafkaError of a failed one."""
    for record in sent:
        if record.succeeded():  # of a batch one is waited for, and the others have come with it
            continue
        try:
            record.get(max(deadline - time.monotonic(), 0))
        except KafkaError:
            if record.is_done:
                raise
            return False
    return True
