-- How many rows does Presto see of each event type, and of how many events?
-- event_type: kind of event
-- rows: rows
-- distinct_events: distinct event_id; equal to rows unless an event is there twice
SELECT
    event_type,
    count(*) AS "rows",
    count(DISTINCT event_id) AS distinct_events
FROM events
GROUP BY event_type
ORDER BY event_type
