"""Commands of the local servers: up, down, status, logs."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from questlog.settings import Settings
from questlog.stack import local
from questlog.stack.api import NAME as API
from questlog.stack.stream import NAMES as STREAMS

MEGABYTE = 1024 * 1024


@click.command()
@click.option(
    "--streams",
    type=click.IntRange(0, len(STREAMS)),
    help="Streams to keep running, too: 1, or 2 with a standby that takes over; 0 ends them. Unless given: as before.",
)
@click.pass_obj
def up(settings: Settings, /, streams: int | None) -> None:
    """Start the local servers, wait until each one answers, and have each started again when it dies."""
    local.up(settings, streams=streams)


@click.command()
@click.option("--wipe", is_flag=True, help="Also delete the data folder: topics, files, tables, logs.")
@click.pass_obj
def down(settings: Settings, /, wipe: bool) -> None:
    """Stop the local servers; what they hold is kept."""
    local.down(settings, wipe=wipe)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--check", is_flag=True, help="Exit with 1 unless every server is running.")
@click.pass_obj
def status(settings: Settings, /, as_json: bool, check: bool) -> None:
    """Show every server with its state, pid, ports, web address and memory; of the API, what it does in this second."""
    from questlog.api import counters

    servers = local.status(settings)
    rows = [
        {**asdict(server), **(asdict(counters.rates(settings)) if _takes_events(server) else {})} for server in servers
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        Console().print(_table(rows))
    if check and any(server.state != local.RUNNING for server in servers):
        sys.exit(1)


@click.command()
@click.argument("name")
@click.option("--lines", "-n", default=50, help="How many of the last lines.")
@click.pass_obj
def logs(settings: Settings, /, name: str, lines: int) -> None:
    """Print the end of a server's log."""
    click.echo(local.logs(settings, name, lines))


def _takes_events(server: local.ServiceStatus) -> bool:
    return server.name == API and server.state == local.RUNNING


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("server", "state", "pid", "ports", "web", "memory (MB)", "up (s)", "accepted/s", "refused/s")
    for row in rows:
        table.add_row(
            row["name"],
            row["state"],
            str(row["pid"] or ""),
            ", ".join(str(port) for port in row["ports"]),
            row["web"] or "",
            f"{row['memory'] / MEGABYTE:,.0f}" if row["memory"] else "",
            f"{row['uptime']:,.0f}" if row["uptime"] else "",
            *(f"{row[rate]:,.0f}" if rate in row else "" for rate in ("accepted_per_second", "refused_per_second")),
        )
    return table


COMMANDS = (up, down, status, logs)
