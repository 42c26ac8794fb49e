"""Questions to Presto, and their answers as data frames.

- `library`: the named questions, one file of SQL each in ``sql/``
- `output`: an answer as a table, as CSV or as JSON
"""
