-- How long do players play at a stretch?
-- minutes: from so many on, up to the next row's; from a session's first event to its last
-- sessions: of that length
-- players: distinct players who had one
-- events: in these sessions, rows
-- share: of all sessions, 0 to 1
-- parameter gap = 30: minutes without an event that end a session
WITH timed AS (
    SELECT
        user_id,
        event_time,
        kafka_partition,
        kafka_offset,
        date_diff(
            'second',
            lag(event_time) OVER (PARTITION BY user_id ORDER BY event_time, kafka_partition, kafka_offset),
            event_time
        ) AS since
    FROM events
    WHERE user_id <> 'anonymous'
),
numbered AS (
    SELECT
        user_id,
        event_time,
        count_if(since > 60 * %(gap)s) OVER (
            PARTITION BY user_id ORDER BY event_time, kafka_partition, kafka_offset
        ) AS session
    FROM timed
),
lengths AS (
    SELECT user_id, count(*) AS events, date_diff('second', min(event_time), max(event_time)) AS seconds
    FROM numbered
    GROUP BY user_id, session
),
classes AS (
    SELECT minutes, lead(minutes, 1, 1000000) OVER (ORDER BY minutes) AS next_minutes
    FROM unnest(ARRAY[0, 1, 5, 10, 20, 30, 60]) AS bounds (minutes)
)
SELECT
    minutes,
    count(user_id) AS sessions,
    count(DISTINCT user_id) AS players,
    coalesce(sum(events), 0) AS events,
    cast(count(user_id) AS double) / nullif(sum(count(user_id)) OVER (), 0) AS share
FROM classes
LEFT JOIN lengths ON seconds >= 60 * minutes AND seconds < 60 * next_minutes
GROUP BY minutes
ORDER BY minutes
