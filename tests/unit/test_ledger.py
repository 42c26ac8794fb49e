from questlog.ledger import COUNTS, balance

SETTLED = {"accepted": 3, "in_kafka": 6, "from_api": 3, "landed": 3, "filtered": 1, "rejected": 1, "duplicates": 1}
SEEN = {"in_presto": 3, "distinct": 3}


def ledger_with(**changed: int):
    counts = {**SETTLED, **SEEN, **changed}
    return balance(["join_guild"], {name: {"join_guild": counts[name]} for name in COUNTS})


def test_a_ledger_in_which_every_event_is_accounted_for_balances() -> None:
    assert ledger_with().balances


def test_an_event_that_was_accepted_but_is_not_in_kafka_is_lost() -> None:
    (problem,) = ledger_with(accepted=4).problems

    assert problem == "join_guild: the API accepted 4, Kafka has 3 of them: events are lost"


def test_an_event_that_waits_in_kafka_says_what_to_run() -> None:
    (problem,) = ledger_with(in_kafka=8).problems

    assert "2 of 8 in Kafka are in no table: run `questlog stream`" in problem


def test_an_event_that_landed_twice_is_a_problem() -> None:
    problems = ledger_with(landed=4, in_presto=4).problems

    assert len(problems) == 2
    assert "landed twice" in problems[0]
    assert "some are there twice" in problems[1]


def test_rows_that_presto_does_not_see_are_a_problem() -> None:
    (problem,) = ledger_with(in_presto=2, distinct=2).problems

    assert problem.endswith("files hold 3 rows, Presto sees 2: run `questlog catalog`")


def test_an_event_whose_answer_was_lost_is_counted_as_unanswered_and_is_no_problem() -> None:
    ledger = ledger_with(accepted=2)

    assert ledger.balances
    assert ledger.unanswered == 1


def test_a_type_that_no_witness_names_has_zero_counts() -> None:
    ledger = balance(["page_view"], {name: {} for name in COUNTS})

    assert ledger.balances
    assert ledger.total("landed") == 0


def test_the_frame_has_a_row_for_each_type_and_their_sum() -> None:
    frame = ledger_with().frame()

    assert list(frame["event_type"]) == ["join_guild", "total"]
    assert list(frame["landed"]) == [3, 3]
