"""Questlog: what a mobile game's players do, from an HTTP request to a report."""
