-- How many players come each day, and how many of them for the first time?
-- day: UTC
-- players: distinct players seen that day, without those who gave no name
-- events: what these players did, rows
-- new_players: players whose first event was that day
WITH played AS (
    SELECT
        user_id,
        event_date,
        count(*) AS events,
        min(event_date) OVER (PARTITION BY user_id) AS first_day
    FROM events
    WHERE user_id <> 'anonymous'
    GROUP BY user_id, event_date
)
SELECT
    event_date AS day,
    count(*) AS players,
    sum(events) AS events,
    count_if(event_date = first_day) AS new_players
FROM played
GROUP BY event_date
ORDER BY day
