"""Every error that Questlog raises on purpose.

::

    QuestlogError
    ├── SettingsError            a setting has a value that is not allowed
    ├── EventError               an event does not keep to the catalogue
    ├── SetupError               something this machine needs is missing or damaged
    ├── StackError               a local server could not be started, stopped or reached
    │   ├── PortTaken
    │   ├── ServiceDied
    │   └── NotReady
    ├── TransportError           Kafka refused, or did not answer in time
    ├── GenerateError            Apache Bench is missing, or ended in an error
    ├── StreamError              the stream may not start, or ended in an error
    │   └── StreamRefused        to start it again would not help
    ├── LakeError                HDFS or the metastore refused, or is not reachable; a file is not as it must be
    │   ├── LeaseHeld            another process holds the writer lease
    │   └── LeaseLost            another process has taken the writer lease over
    ├── CatalogError             a table is not as the catalogue says
    ├── QueryError               Presto refused a statement, or is not reachable
    ├── LedgerError              the ledger does not balance
    ├── FaultError               a fault could not be brought about, or broke a promise
    └── BookError                a chapter, a parameter or the site's build failed

A message says what happened, the value against what is allowed, and what to do next.
"""


class QuestlogError(Exception):
    """Base of them all: the command line prints its message and exits with 1."""


class SettingsError(QuestlogError):
    """A setting has a value that is not allowed."""


class EventError(QuestlogError):
    """An event does not keep to the catalogue; `problems` holds every field that is wrong.

    Each problem is a mapping with the keys ``field``, ``value``, ``problem`` and ``allowed``.
    """

    def __init__(self, problems: list[dict[str, object]]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{p['field']}={p['value']!r}: {p['problem']}" for p in problems))


class SetupError(QuestlogError):
    """Something this machine needs is missing or damaged."""


class StackError(QuestlogError):
    """A local server could not be started, stopped or reached."""


class PortTaken(StackError):
    """A port that a server needs belongs to another process."""


class ServiceDied(StackError):
    """A server's process ended before it was ready."""


class NotReady(StackError):
    """A server did not answer its readiness question before its deadline."""


class TransportError(QuestlogError):
    """Kafka refused, or did not answer in time."""


class GenerateError(QuestlogError):
    """Apache Bench is missing, or ended in an error."""


class StreamError(QuestlogError):
    """The stream may not start, or ended in an error."""


class StreamRefused(StreamError):
    """The stream may not start, and to start it again would not help: somebody has to mend what the message names."""


class LakeError(QuestlogError):
    """HDFS or the metastore refused, or is not reachable; or a file is not as it must be."""


class LeaseHeld(LakeError):
    """Another process holds the writer lease."""


class LeaseLost(LakeError):
    """Another process has taken the writer lease over."""


class CatalogError(QuestlogError):
    """A table is not as the catalogue says."""


class QueryError(QuestlogError):
    """Presto refused a statement, or is not reachable."""


class LedgerError(QuestlogError):
    """The ledger does not balance."""


class FaultError(QuestlogError):
    """A fault could not be brought about, or broke a promise."""


class BookError(QuestlogError):
    """A chapter, a parameter or the site's build failed."""
