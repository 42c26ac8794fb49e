"""`python -m questlog` is `questlog`."""

from questlog.cli import main

main()
