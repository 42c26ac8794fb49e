-- At which hours do players play?
-- hour: of the day, 0 to 23, UTC
-- events: rows in that hour, over all days
-- players: distinct players seen in that hour, without those who gave no name
WITH played AS (
    SELECT
        hour(event_time) AS hour,
        count(*) AS events,
        count(DISTINCT user_id) FILTER (WHERE user_id <> 'anonymous') AS players
    FROM events
    GROUP BY hour(event_time)
)
SELECT
    hours.hour,
    coalesce(played.events, 0) AS events,
    coalesce(played.players, 0) AS players
FROM unnest(sequence(0, 23)) AS hours (hour)
LEFT JOIN played ON played.hour = hours.hour
ORDER BY hours.hour
