"""Spark Structured Streaming: from the topic to parquet files in HDFS, each event exactly once.

- `session`: the Spark session
- `source`: the topic as a DataFrame, streaming or bounded
- `checkpoint`: refuses to go on from one that is damaged or not its own
- `bounds`: where the topic begins and ends
- `transforms`: DataFrame -> DataFrame: which type, wanted or not, parsed, judged, and the columns of each table
- `validity`: the catalogue's rules as Spark expressions
- `files`: HDFS through Spark's own Hadoop client
- `repeats`: an event that is sent again stays one row
- `memory`: what has landed, remembered over a restart
- `account`: what became of a micro-batch's records
- `staging`: writes a micro-batch aside
- `landing`: how one micro-batch becomes visible, all of it once, whatever is killed in between
- `faults`: where a test kills the stream
- `phases`, `progress`: where a micro-batch's time goes, as a table and for whoever looks on
- `job`: reads, chains, lands
- `alone`: one stream at a time
- `supervision`: starts the stream again when it has died, as a `child`; `signals` ends both cleanly
- `rehearsal`: what a standby does before its turn
"""
