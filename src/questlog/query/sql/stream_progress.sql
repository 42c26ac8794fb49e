-- How fast was the stream lately, and where did each micro-batch's time go?
-- stream: names the stream that landed it
-- batch: number of the micro-batch
-- started_at: when Spark began it, UTC
-- records: taken from the topic, rows
-- lag: records that waited behind it, rows
-- seconds: from its start until Spark had committed it, s
-- offset_log_seconds: newest offsets asked for and written down, s
-- plan_seconds: Spark's planning, s
-- judge_seconds: read, parsed, judged, looked for among those that landed, s
-- write_seconds: written aside, s
-- seal_seconds: the folder with all of it renamed, s
-- rename_seconds: files moved into the tables, s
-- announce_seconds: new partitions announced, s
-- close_seconds: account moved, staging cleaned up, s
-- commit_seconds: commit written to the checkpoint, s
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
    judge_seconds,
    write_seconds,
    seal_seconds,
    rename_seconds,
    announce_seconds,
    close_seconds,
    commit_seconds
FROM stream_progress
ORDER BY started_at DESC, stream, batch DESC
LIMIT %(most)s
