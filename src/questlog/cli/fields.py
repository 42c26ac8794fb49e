"""A record's fields as a small table on the terminal."""

from rich.console import Console
from rich.table import Table


def print_fields(record: object) -> None:
    """Print each field's name and value; numbers with their thousands set apart."""
    table = Table(show_header=False)
    for name, value in vars(record).items():
        shown = f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
        table.add_row(name.replace("_", " "), shown)
    Console().print(table)
