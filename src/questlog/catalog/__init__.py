"""The Hive catalog: databases, tables and partitions over the files that the stream lands in HDFS.

- `files`: HDFS from Python, by WebHDFS: folders, listings, and rows counted from parquet footers
- `session`: the connections for that
- `definitions`: the tables of a catalogue, and their columns
- `tables`: creates the tables of a catalogue, adds what a later catalogue adds, drops a namespace
- `partitions`: announces folders to the metastore, so that Presto sees them
- `metastore`: the Hive metastore by its own protocol
- `places`: where the files of a table lie, at first and now
- `compaction`: many small files become few; `merging`, `swap` and `gate` are its parts, `upkeep` does it at an interval
- `hdfs`: renames, copies and small files
- `quoting`: names and text as SQL spells them

Nothing in here knows how a statement reaches Presto: it is given a function that executes one.
"""
