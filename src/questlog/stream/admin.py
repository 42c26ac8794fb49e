"""Kafka's administration, asked through the client that Spark's source brings along."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import SparkSession

from questlog.errors import StreamError
from questlog.settings import Settings

ASK_SECONDS = 10


@contextmanager
def admin(spark: SparkSession, settings: Settings, question: str) -> Iterator[Any]:
    """Kafka's ``AdminClient`` (Java) while the block runs; `question` is what it is asked, for the error.

    Raises:
        StreamError: Kafka refused, or did not answer within `ASK_SECONDS`.
    """
    jvm: Any = spark.sparkContext._jvm
    patience = str(ASK_SECONDS * 1000)
    conf = {
        "bootstrap.servers": settings.kafka_bootstrap,
        "default.api.timeout.ms": patience,
        "request.timeout.ms": patience,
    }
    client = jvm.org.apache.kafka.clients.admin.AdminClient.create(conf)
    try:
        yield client
    except Py4JJavaError as error:
        raise StreamError(
            f"Kafka at {settings.kafka_bootstrap} did not say within {ASK_SECONDS} s {question} "
            f"({error.java_exception.getMessage()}): start it with `questlog up`."
        ) from error
    finally:
        client.close(jvm.java.time.Duration.ZERO)
