"""Faults: servers and the stream are killed, stopped and starved while clients send and a witness asks Presto.

Tests, the command ``scripts/faults`` and the chapter *Reliability* use the same of each:

- `record`: what a client was told, what the witness saw
- `client`: sends events, and keeps its own record of them
- `witness`: asks Presto twice a second
- `checker`: holds these against each other: the promises I1 to I8, as a pure function
- `servers`, `streams`, `line`, `checkpoint`, `disks`: what a fault acts on
- `scene`: all of these on one stack, for one namespace
- `matrix`: the faults, each with its bound
- `trial`: one fault under load, and its outcome
- `outcomes`: outcomes as a table
"""
