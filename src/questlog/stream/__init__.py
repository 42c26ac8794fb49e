"""Spark Structured Streaming: from the topic to parquet files in HDFS, each event exactly once.

- `session`: the Spark session
- `source`: the topic as a DataFrame, streaming or bounded
- `transforms`: DataFrame -> DataFrame: which type, wanted or not, parsed, judged, and the columns of each table
- `validity`: the catalogue's rules as Spark expressions
- `files`: HDFS through Spark's own Hadoop client
- `landing`: how one micro-batch becomes visible, all of it once, whatever is killed in between
- `job`: reads, chains, lands
"""
