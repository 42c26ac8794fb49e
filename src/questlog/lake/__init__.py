"""The lake: what every stage that touches stored tables shares.

Names and paths, the clients of HDFS, the metastore and Presto, and the one writer:

- `layout`: where tables, partitions, staged and prepared files lie, and what files are called
- `types`: a table's columns as Arrow and Spark know them
- `parquet`: rows as parquet files, sorted, with row groups that Presto can skip
- `hdfs`: HDFS over WebHDFS, with failover between NameNodes
- `retry`: repeats a call while its error is temporary
- `metastore`: the Hive metastore's own protocol
- `presto`: runs a statement; the only place that imports PyHive
- `values`: what Presto sends as Python and pandas values
- `lease`: permission to write, for one process at a time across machines
- `writer`: publishes batches and switches partition locations while it holds the lease
"""
