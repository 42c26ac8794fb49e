"""The thread of a Kafka client is woken once for all that one thread sends together."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from questlog.transport.network import Network


class Bell:
    """Stands for the selector that the network's thread sleeps in; counts how often it was woken."""

    rung = 0

    def wakeup(self) -> None:
        self.rung += 1


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def network(bell: Bell) -> Network:
    return Network(net=bell, manager=object())


def test_each_call_wakes_it_at_once_outside_a_block(network: Network, bell: Bell) -> None:
    network.wakeup()
    network.wakeup()

    assert bell.rung == 2


def test_a_block_wakes_it_once_and_at_its_end(network: Network, bell: Bell) -> None:
    with network.woken_once():
        network.wakeup()
        network.wakeup()
        assert bell.rung == 0

    assert bell.rung == 1


def test_a_block_in_which_nothing_was_sent_leaves_it_asleep(network: Network, bell: Bell) -> None:
    with network.woken_once():
        pass

    assert bell.rung == 0


def test_a_block_that_fails_wakes_it_for_what_was_sent_before(network: Network, bell: Bell) -> None:
    with suppress(ValueError), network.woken_once():
        network.wakeup()
        raise ValueError("no such topic")

    assert bell.rung == 1


def test_another_threads_records_are_not_held_back(network: Network, bell: Bell) -> None:
    with ThreadPoolExecutor(1) as others, network.woken_once():
        others.submit(network.wakeup).result()

        assert bell.rung == 1
