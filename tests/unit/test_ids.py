"""Ids are UUIDs, and no two are alike, also not those of processes that were forked from one."""

import multiprocessing
import re
from concurrent.futures import ThreadPoolExecutor

from questlog.ids import new_id

UUID_4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MANY = 2_000


def test_an_id_is_a_random_uuid() -> None:
    assert all(UUID_4.fullmatch(new_id()) for _ in range(MANY))


def test_threads_get_different_ids() -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: new_id(), range(MANY)))

    assert len(set(ids)) == MANY


def test_a_forked_process_gets_ids_of_its_own() -> None:
    new_id()  # some are drawn already
    fork = multiprocessing.get_context("fork")
    reading, writing = fork.Pipe(duplex=False)
    child = fork.Process(target=lambda: writing.send([new_id() for _ in range(MANY)]))
    child.start()
    theirs = reading.recv()
    child.join()

    assert not set(theirs) & {new_id() for _ in range(MANY)}
