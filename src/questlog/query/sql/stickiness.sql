-- Which part of the month's players comes on a day? (DAU over MAU)
-- day: UTC
-- players: distinct players seen that day, without those who gave no name
-- players_of_window: distinct players seen in the days up to it
-- window_days: how many days these are; fewer than asked for at the beginning of the data
-- share: players of players_of_window, 0 to 1
-- parameter days = 28: days of a month
WITH played AS (
    SELECT DISTINCT user_id, event_date
    FROM events
    WHERE user_id <> 'anonymous'
),
days AS (
    SELECT event_date AS day, count(*) AS players, min(event_date) OVER () AS first_day
    FROM played
    GROUP BY event_date
)
SELECT
    day,
    players,
    count(DISTINCT user_id) AS players_of_window,
    least(%(days)s, date_diff('day', first_day, day) + 1) AS window_days,
    cast(players AS double) / count(DISTINCT user_id) AS share
FROM days
JOIN played ON event_date BETWEEN date_add('day', 1 - %(days)s, day) AND day
GROUP BY day, players, first_day
ORDER BY day
