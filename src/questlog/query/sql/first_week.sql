-- How often do new players come in the seven days after their first?
-- workdays: of these days, Monday to Friday, on which they were seen
-- weekend_days: the same of Saturday and Sunday
-- stayed: whether they were seen after that week
-- players: of whom all this is true; only those whose whole week the data hold
WITH played AS (
    SELECT DISTINCT
        user_id,
        event_date,
        min(event_date) OVER (PARTITION BY user_id) AS first_day,
        max(event_date) OVER () AS last_day
    FROM events
    WHERE user_id <> 'anonymous'
),
counted AS (
    SELECT
        count_if(date_diff('day', first_day, event_date) BETWEEN 1 AND 7 AND day_of_week(event_date) < 6) AS workdays,
        count_if(date_diff('day', first_day, event_date) BETWEEN 1 AND 7 AND day_of_week(event_date) > 5) AS weekend_days,
        max(date_diff('day', first_day, event_date)) > 7 AS stayed
    FROM played
    WHERE date_add('day', 7, first_day) <= last_day
    GROUP BY user_id
)
SELECT workdays, weekend_days, stayed, count(*) AS players
FROM counted
GROUP BY workdays, weekend_days, stayed
ORDER BY workdays, weekend_days, stayed
