"""Charts that chapters need beside those of the report."""

from __future__ import annotations

from collections.abc import Sequence

from questlog.faults import outcomes
from questlog.faults.trial import Outcome
from questlog.generate.bench import BenchResult
from questlog.report import style
from questlog.report.chart import Chart, blank, whole_numbers
from questlog.report.figures import draw

HEIGHT = 5
LEAST_SHOWN = 0.2  # seconds: a kill takes no time, and would not be seen


@style.styled
def load_curve(runs: Sequence[BenchResult]) -> Chart:
    """Throughput above waiting time, over the number of requests at a time; one run for each number."""
    figure = blank(HEIGHT)
    figure.say(_finding(runs[0], runs[-1]))
    throughput, waiting = figure.subplots(2, 1, sharex=True)
    at_a_time = [run.concurrency for run in runs]
    throughput.plot(at_a_time, [run.requests_per_second for run in runs], color=style.INK, marker="D")
    throughput.set_ylabel("requests/s")
    for label, percentile, marker in (("99th percentile", "p99_ms", "s"), ("median", "p50_ms", "o")):
        waiting.plot(at_a_time, [getattr(run, percentile) for run in runs], marker=marker, label=label)
    waiting.set_ylabel("wait, milliseconds")
    waiting.set_xscale("log", base=2)
    waiting.set_xticks(at_a_time, [str(number) for number in at_a_time])
    waiting.set_xlabel("requests at a time")
    draw.below(figure, waiting, columns=2)
    for axes in (throughput, waiting):
        axes.set_ylim(bottom=0)
        whole_numbers(axes.yaxis)
    return figure


@style.styled
def fault(outcome: Outcome) -> Chart:
    """Events acknowledged, and rows that Presto shows, while a fault was at work; the fault itself in grey."""
    figure = blank(HEIGHT)
    figure.say(outcomes.recovery(outcome))
    axes, over = figure.subplots(), outcomes.timeline(outcome)
    began = "the fault began (grey while it lasted)"
    if outcome.not_run:
        began = "the fault was tried"
    else:
        axes.axvspan(0, max(outcome.moments.over - outcome.moments.injected, LEAST_SHOWN), color=style.PALE)
    for column, label, colour in (
        ("acknowledged", "acknowledged", style.ACCENT),
        ("seen", "seen in Presto", style.ALERT),
    ):
        line = over.dropna(subset=[column])
        axes.plot(line["second"], line[column], drawstyle="steps-post", color=colour, label=label)
    axes.set_xlabel(f"seconds since {began}")
    axes.set_ylabel("events")
    axes.set_ylim(bottom=0)
    draw.below(figure, axes, columns=2)
    whole_numbers(axes.yaxis)
    return figure


def _finding(first: BenchResult, last: BenchResult) -> str:
    rate = last.requests_per_second / first.requests_per_second
    wait = (last.p50_ms or 0) / (first.p50_ms or 1)
    change = f"{rate:.1f} times the throughput, {wait:.1f} times the median wait"
    return f"With {last.concurrency} requests at a time instead of {first.concurrency}: {change}"
