"""The event catalogue: each event type is defined once, here, and everything else derives from it.

Nothing in this package does I/O: it may import neither a client, nor an engine, nor the operating system's files.

- `catalogue`: the event types, the columns that all of them share, the headers that are kept
- `fields`: what a field may say of itself
- `rules`: what a catalogue must keep to
- `models`: what an event is held to, as pydantic has it
- `validation`: a request's parameters become an event, or an error that names every wrong field
- `ids`: ids that the server gives
- `wire`: the bytes that travel through Kafka
- `schema`: the same fields as Spark and Hive columns
"""

from questlog.events.catalogue import CATALOGUE, Catalogue
from questlog.events.fields import EventType, Field, Kind

__all__ = ["CATALOGUE", "Catalogue", "EventType", "Field", "Kind"]
