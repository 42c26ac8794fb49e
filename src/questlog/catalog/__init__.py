"""The Hive catalog: databases, tables and partitions over the files that the stream lands in HDFS.

- `files`: HDFS from Python, by WebHDFS: folders, listings, and rows counted from parquet footers
- `definitions`: the tables of a catalogue, and their columns
- `tables`: creates the tables of a catalogue, adds what a later catalogue adds, drops a namespace
- `partitions`: announces folders to the metastore, so that Presto sees them
- `quoting`: names and text as SQL spells them

Nothing in here knows how a statement reaches Presto: it is given a function that executes one.
"""
