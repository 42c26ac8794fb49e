-- How many new players join a guild on their first day?
-- day: of the player's first event, UTC
-- players: new ones who did something else after that event
-- joined: of these, players who joined a guild on that day
WITH played AS (
    SELECT
        user_id,
        event_date,
        count(*) AS events,
        count_if(event_type = 'join_guild') AS joins,
        min(event_date) OVER (PARTITION BY user_id) AS first_day
    FROM events
    WHERE user_id <> 'anonymous'
    GROUP BY user_id, event_date
)
SELECT event_date AS day, count(*) AS players, count_if(joins > 0) AS joined
FROM played
WHERE event_date = first_day AND events > 1
GROUP BY event_date
ORDER BY day
