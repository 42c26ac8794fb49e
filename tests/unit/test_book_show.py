"""What chapters lay before the reader of a stream: where its time goes."""

import pandas as pd

from questlog.book import show
from questlog.events.schema import PHASES


def progress(*seconds: float) -> pd.DataFrame:
    return pd.DataFrame({f"{phase}_seconds": list(seconds) for phase in PHASES})


def test_each_phase_is_shown_in_its_order_with_what_happens_in_it() -> None:
    shown = show.phases(progress(0.1)).frame
    assert [name.replace(" ", "_") for name in shown["phase"]] == list(PHASES)
    assert shown["what happens"].str.len().min() > 0
    assert shown["what happens"].iloc[PHASES.index("write")] == "written to staging"


def test_the_time_of_a_phase_is_its_median_with_its_unit() -> None:
    assert set(show.phases(progress(0.1, 0.25, 7.0)).frame["median"]) == {"0.250 s"}
