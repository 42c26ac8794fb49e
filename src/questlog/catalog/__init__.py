"""The Hive catalog: the database, tables, views and partitions over the files that the writer publishes.

- `definitions`: the tables and views of an event catalogue, and their columns
- `tables`: creates them, adds what a later catalogue adds, drops a namespace
- `partitions`: adds partitions that have files but are not in the metastore
- `compaction`: many small files become few, inside the writer
- `counts`: rows of tables by event type, counted from parquet files without Presto
- `upgrade`: rewrites the tables of the former layout
- `quoting`: names and text as SQL spells them
"""
