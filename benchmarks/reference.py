"""The reference: an event API as tutorials on Flask and Kafka write it, on Flask's development server.

It takes what a client posts, adds the request's headers, and hands it to kafka-python's producer with that producer's
defaults. Without ``--flush`` it answers before Kafka has the event: what is lost then, nobody hears of. With it, each
request waits until the producer holds nothing more.
"""

from __future__ import annotations

import json

import click
from flask import Flask, request
from kafka import KafkaProducer


def create_app(bootstrap: str, topic: str, *, flush: bool) -> Flask:
    """The application; connects to Kafka at once."""
    app = Flask(__name__)
    producer = KafkaProducer(bootstrap_servers=bootstrap, value_serializer=lambda event: json.dumps(event).encode())

    @app.post("/purchase_sword")
    def purchase_sword() -> str:
        event = {"event_type": "purchase_sword", **request.get_json(), **request.headers}
        producer.send(topic, event)
        if flush:
            producer.flush()
        return "Sword purchased!\n"

    return app


@click.command()
@click.option("--port", type=int, required=True)
@click.option("--bootstrap", required=True, help="Kafka's address.")
@click.option("--topic", required=True)
@click.option("--flush", is_flag=True, help="Wait for Kafka in each request.")
def main(port: int, bootstrap: str, topic: str, flush: bool) -> None:
    """Serve the reference in the foreground."""
    create_app(bootstrap, topic, flush=flush).run(port=port)


if __name__ == "__main__":
    main()
