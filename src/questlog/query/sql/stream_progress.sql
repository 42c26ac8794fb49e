-- How fast was the stream lately, and where did each micro-batch's time go?
-- stream: names the stream that landed it
-- batch: number of the micro-batch
-- started_at: when Spark began it, UTC
-- records: taken from the topic, rows
-- lag: records that waited behind it, rows
-- seconds: from its start until Spark had committed it, s
-- offset_log_seconds: newest offsets asked for and written down, s
-- plan_seconds: Spark's planning, s
-- validate_seconds: read, parsed, validated, looked up in the dedup index, s
-- write_seconds: written to staging, s
-- prepare_seconds: the staged folder renamed, s
-- publish_seconds: files renamed into the tables, new partitions added, s
-- commit_seconds: audit renamed into its table, s
-- checkpoint_seconds: commit written to Spark's checkpoint, s
-- parameter most = 20: micro-batches shown, from the newest
SELECT
    stream,
    batch,
    started_at,
    records,
    lag,
    seconds,
    offset_log_seconds,
    plan_seconds,
    validate_seconds,
    write_seconds,
    prepare_seconds,
    publish_seconds,
    commit_seconds,
    checkpoint_seconds
FROM stream_progress
ORDER BY started_at DESC, stream, batch DESC
LIMIT %(most)s
