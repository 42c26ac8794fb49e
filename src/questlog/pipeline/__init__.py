"""The one place where the stages are joined: what the command line, the chapters and the tests call.

Stages know nothing of each other; here the API's requests, the topic, the stream, the tables and the queries of one
`Settings` are put together.

- `maintenance`: creates, compacts, replays, upgrades and resets a namespace
- `streaming`: runs the stream
- `questions`: the ledger, and answers of Presto
- `editions`: events of a simulated world, sent and landed
"""

from questlog.pipeline.editions import api, edition, generate, prepare
from questlog.pipeline.maintenance import announce, compact, create, place, replay, reset, upgrade
from questlog.pipeline.questions import ledger, query, sql
from questlog.pipeline.streaming import stream

__all__ = [
    "announce", "api", "compact", "create", "edition", "generate", "ledger",
    "place", "prepare", "query", "replay", "reset", "sql", "stream", "upgrade",
]  # fmt: skip
