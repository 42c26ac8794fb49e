-- Which events happened, and how often?
-- event_type: kind of event
-- events: rows
-- players: distinct players, without those who gave no name
-- first_day: day of the first, UTC
-- last_day: day of the last, UTC
SELECT
    event_type,
    count(*) AS events,
    count(DISTINCT user_id) FILTER (WHERE user_id <> 'anonymous') AS players,
    min(event_date) AS first_day,
    max(event_date) AS last_day
FROM events
GROUP BY event_type
ORDER BY events DESC, event_type
