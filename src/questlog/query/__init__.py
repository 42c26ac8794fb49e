"""Questions to Presto, and their answers as data frames.

- `presto`: runs a statement; the only place that imports PyHive
- `values`: what Presto sends as Python and pandas values
- `library`: the named questions, one file of SQL each in ``sql/``
- `output`: an answer as a table, as CSV or as JSON
"""
