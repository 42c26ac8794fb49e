"""Trials: one fault each, under load; at the end of a scene all that its clients were told is held against Presto."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from questlog import pipeline
from questlog.errors import FaultError, QuestlogError
from questlog.faults import checker, witness
from questlog.faults.checker import Evidence, Recovery, Violation
from questlog.faults.client import RATE, Client, sending
from questlog.faults.matrix import ANSWERED, Fault
from questlog.faults.record import Look, Record
from questlog.faults.scene import Scene, staged
from questlog.settings import Settings

EVENTS = 200  # acknowledged in a trial, unless told otherwise: half before the fault, half after it
FIRST = 20  # events acknowledged before the first fault
WARM = 600.0  # seconds until the first events are answered, and seen
GIVEN_UP = 300.0  # seconds after which a service is said not to come back
SETTLED = 300.0  # seconds until all that was acknowledged has landed
PAUSE = 0.1  # seconds between two looks

OnProgress = Callable[[str, str], object]


@dataclass(frozen=True, kw_only=True)
class Moments:
    """When a trial began, its fault began and ended, and the trial ended, in seconds since 1970."""

    begun: float
    injected: float
    over: float
    ended: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one trial.

    `before` is how many events were acknowledged in its scene before it. `answered` and `seen` are the seconds from the
    fault's end until an event begun after it was acknowledged, and one received after it was seen in Presto; None for
    never. `not_run` is why the fault could not be brought about here; empty if it was.
    """

    fault: Fault
    record: Record
    looks: tuple[Look, ...]
    before: int
    moments: Moments
    answered: float | None
    seen: float | None
    violations: tuple[Violation, ...]
    not_run: str = ""

    @property
    def recovered(self) -> float | None:
        """Seconds until service was there again, by the fault's own measure."""
        return _measured(self.fault, self.answered, self.seen)


class Interrupted(Exception):
    """Ctrl-C, with what had come of the trials until then."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes = outcomes
        super().__init__(f"interrupted after {len(outcomes)} trials")


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What Presto and the ledger said: the looks of one trial, and what the whole scene has in common."""

    looks: tuple[Look, ...]
    strangers: int
    ledger: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Trial:
    """One that has run, and is still to be judged."""

    fault: Fault
    client: Client
    moments: Moments
    answered: float | None
    seen: float | None
    complaints: tuple[str, ...]
    not_run: str = ""


def run(
    stack: Settings,
    faults: Sequence[Fault],
    *,
    seed: int,
    events: int = EVENTS,
    rate: float = RATE,
    on_progress: OnProgress = lambda fault, phase: None,
) -> list[Outcome]:
    """Bring about each of the faults on a stack that is up, one after the other under load, and judge what came of it.

    Args:
        stack: its settings.
        faults: in the order in which they happen.
        seed: of whatever is random.
        events: acknowledged in each trial, at least.
        rate: events a second that are sent.
        on_progress: is called with a fault's name and what is done now.

    Raises:
        StackError: a server does not start.
        FaultError: the scene does not work before the first fault.
        Interrupted: by Ctrl-C between the first fault and the last; holds the outcomes of those that were over.
    """
    trials: list[_Trial] = []
    needs = {
        "with_line": any(fault.needs_line for fault in faults),
        "with_standby": any(fault.needs_standby for fault in faults),
    }
    with staged(stack, seed=seed, rate=rate, **needs) as scene:
        on_progress("", "starting the stream")
        warm = _warm_up(scene, seed)
        try:
            for number, fault in enumerate(faults):
                trials.append(_run_one(scene, fault, f"{seed}-{number}", events, on_progress))
        except KeyboardInterrupt:
            raise Interrupted(_judged(scene, warm, trials)) from None
        on_progress("", "waiting until everything has landed")
        return _judged(scene, warm, trials)


def _warm_up(scene: Scene, seed: int) -> Client:
    client = scene.client = _client(scene, f"warm-{seed}")
    with sending(client):  # not longer: a Spark that starts needs the machine for itself
        _eventually(lambda: client.acknowledged >= FIRST, WARM)
    if _eventually(lambda: scene.witness.looks and scene.witness.looks[-1].rows, WARM) is None:
        raise FaultError(f"no event is seen in Presto after {WARM:g} s: see the logs in {scene.stack.logs_dir}")
    return client


def _run_one(scene: Scene, fault: Fault, name: str, events: int, on_progress: OnProgress) -> _Trial:
    client = scene.client = _client(scene, f"run-{name}")
    if fault.needs_standby:  # before the load, under which a Spark takes long to start
        on_progress(fault.name, "waiting for a standby")
        scene.stream.await_standby()
    begun, not_run = time.time(), ""
    with ExitStack() as later, sending(client):
        scene.later = later
        on_progress(fault.name, "load")
        _eventually(lambda: client.acknowledged >= events / 2, GIVEN_UP)
        on_progress(fault.name, fault.does)
        injected = time.time()
        try:
            fault.inject(scene)
        except FaultError as error:
            not_run = str(error)
        over = time.time()
        on_progress(fault.name, "recovery")
        answered, seen = _recovered(scene, client, over)
        _eventually(lambda: client.acknowledged >= events, GIVEN_UP)
    complaints = tuple(scene.complaints)
    scene.complaints.clear()
    return _Trial(
        fault=fault,
        client=client,
        moments=Moments(begun=begun, injected=injected, over=over, ended=time.time()),
        answered=answered,
        seen=seen,
        complaints=complaints,
        not_run=not_run,
    )


def _recovered(scene: Scene, client: Client, over: float) -> tuple[float | None, float | None]:
    """Seconds after `over` until events are answered, and until they are seen; None for never."""
    answered = _eventually(lambda: client.newest() >= over, GIVEN_UP)
    after = [moment.told for moment in client.record.moments if moment.sent >= over]
    if answered is None or not after:
        return None, None
    found = _eventually(lambda: any(look.newest >= over for look in scene.witness.looks[-10:]), GIVEN_UP)
    seen = [look.answered for look in scene.witness.looks if look.newest >= over]
    return min(after) - over, seen[0] - over if found is not None and seen else None


def _judged(scene: Scene, warm: Client, trials: Sequence[_Trial]) -> list[Outcome]:
    ledger = _settled(scene)
    clients = [warm, *(trial.client for trial in trials)]
    sent = {client.run for client in (*clients, scene.client) if client}  # also that of a trial which was interrupted
    strangers = witness.strangers(scene.settings, sorted(sent))
    before = itertools.accumulate(client.acknowledged for client in clients)
    looks = _windows(scene.witness.looks, [trial.moments.begun for trial in trials])
    return [
        _outcome(scene, trial, count, _Known(looks=seen, strangers=strangers, ledger=ledger))
        for trial, count, seen in zip(trials, before, looks, strict=False)
    ]


def _outcome(scene: Scene, trial: _Trial, before: int, known: _Known) -> Outcome:
    fault = trial.fault
    seconds = _measured(fault, trial.answered, trial.seen)
    evidence = Evidence(
        record=trial.client.record,
        rows=witness.rows_of(scene.settings, trial.client.run),
        looks=known.looks,
        recovery=Recovery(seconds=seconds, bound=fault.bound),
        strangers=known.strangers,
        ledger=known.ledger,
        may_reset=fault.may_reset,
    )
    complaints = [Violation("I6", complaint) for complaint in trial.complaints]
    return Outcome(
        fault=fault,
        record=trial.client.record,
        looks=known.looks,
        before=before,
        moments=trial.moments,
        answered=trial.answered,
        seen=trial.seen,
        violations=(*checker.violations(evidence), *complaints),
        not_run=trial.not_run,
    )


def _measured(fault: Fault, answered: float | None, seen: float | None) -> float | None:
    return answered if fault.measured == ANSWERED else seen


def _settled(scene: Scene) -> tuple[str, ...]:
    """Why the ledger does not balance, after all the time that the stream may need; empty when it does."""
    said: tuple[str, ...] = ("it was not asked",)

    def balances() -> bool:
        nonlocal said
        try:
            said = pipeline.ledger(scene.settings).problems
        except QuestlogError as error:
            said = (str(error),)
        return not said

    _eventually(balances, SETTLED)
    return said


def _windows(looks: Sequence[Look], begins: Sequence[float]) -> Iterator[tuple[Look, ...]]:
    """The looks of each trial: those answered from its beginning until the next one's."""
    for begin, end in itertools.pairwise((*begins, float("inf"))):
        yield tuple(look for look in looks if begin <= look.answered < end)


def _client(scene: Scene, run: str) -> Client:
    dice = scene.dice.randrange(2**32)
    return Client(scene.settings.api_url, run, seed=dice, rate=scene.rate, stray=scene.stray)


def _eventually(condition: Callable[[], object], deadline: float) -> float | None:
    """The seconds until the condition held; None when it did not."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > deadline:
            return None
        time.sleep(PAUSE)
    return time.monotonic() - began
