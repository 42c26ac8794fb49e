"""Spark Structured Streaming: from the topic to parquet files in HDFS, each event exactly once.

*Source*
- `source`: the topic as a DataFrame, streaming or bounded
- `admin`: Kafka's AdminClient: topics, and where a topic begins and ends

*Transform*
- `transforms`: DataFrame -> DataFrame: event type, outcome, parsed event, and the columns of each table
- `validity`: the catalogue's rules as Spark expressions

*Dedup*
- `dedup`: an event that is sent again stays one row

*Sink*
- `sink`: writes a micro-batch to staging, and has the writer publish it
- `audit`: a micro-batch's events by type and outcome
- `planned`: how many records a micro-batch has, before it is read

*Runtime*
- `session`: the Spark session; `scratch` its scratch files, `classes` an archive of its classes
- `checkpoint`: refuses to go on from one that is damaged or of another stream
- `job`: reads, chains, lands, until it is told to stop
- `timings`, `progress`: batch metrics, as a table and for people who follow the stream
- `faults`: where a test kills the stream
- `signals`: Ctrl-C and SIGTERM end it between two micro-batches
- `replay`: validates records again and rebuilds tables; `tables` reads them, `changes` compares
"""
