-- How many rows does Presto see of each event type, and of how many records of the topic?
-- event_type: kind of event
-- rows: rows
-- distinct_events: distinct places in the topic, which are partition and offset; equal to rows unless landed twice
SELECT
    event_type,
    count(*) AS "rows",
    count(DISTINCT ROW(kafka_partition, kafka_offset)) AS distinct_events
FROM events
GROUP BY event_type
ORDER BY event_type
