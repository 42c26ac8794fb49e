-- How many players come each week: new ones, faithful ones, those who are back, and how many are lost again?
-- week: its Monday, UTC; only weeks that the data hold to their end
-- players: distinct players seen that week, without those who gave no name
-- new_players: of these, players seen for the first time
-- kept: of these, players who were there the week before
-- regained: of these, players who were there earlier, but not the week before
-- lost: of these, players not seen in the week after; null for the last week
-- A week that the data do not hold to its end would look like a fall.
WITH whole AS (
    SELECT date_add('day', -6, max(event_date)) AS last_monday
    FROM events
),
played AS (
    SELECT DISTINCT user_id, date_trunc('week', event_date) AS week
    FROM events
    CROSS JOIN whole
    WHERE user_id <> 'anonymous' AND date_trunc('week', event_date) <= last_monday
),
placed AS (
    SELECT
        week,
        max(week) OVER () AS last_week,
        lag(week) OVER (PARTITION BY user_id ORDER BY week) AS week_before,
        lead(week) OVER (PARTITION BY user_id ORDER BY week) AS week_after
    FROM played
)
SELECT
    week,
    count(*) AS players,
    count_if(week_before IS NULL) AS new_players,
    count_if(week_before = date_add('week', -1, week)) AS kept,
    count_if(week_before < date_add('week', -1, week)) AS regained,
    IF(week < max(last_week), count_if(week_after IS NULL OR week_after > date_add('week', 1, week))) AS lost
FROM placed
GROUP BY week
ORDER BY week
