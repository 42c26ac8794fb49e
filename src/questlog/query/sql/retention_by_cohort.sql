-- Of the players who came first in some week, how many are there so many weeks later?
-- cohort: Monday of the week of their first event, UTC
-- weeks: later
-- players: of the cohort
-- returned: of these, players seen in that week
-- share: returned of players, 0 to 1
WITH played AS (
    SELECT DISTINCT user_id, date_trunc('week', event_date) AS week
    FROM events
    WHERE user_id <> 'anonymous'
),
-- A week that the data do not hold to its end would show too few.
whole AS (
    SELECT date_add('day', -6, max(event_date)) AS last_monday
    FROM events
),
started AS (
    SELECT user_id, min(week) AS cohort
    FROM played
    GROUP BY user_id
),
cohorts AS (
    SELECT cohort, count(*) AS players
    FROM started
    GROUP BY cohort
),
returns AS (
    SELECT cohort, week, count(*) AS returned
    FROM started
    JOIN played USING (user_id)
    GROUP BY cohort, week
)
SELECT
    cohorts.cohort,
    later.weeks,
    players,
    coalesce(returned, 0) AS returned,
    cast(coalesce(returned, 0) AS double) / players AS share
FROM cohorts
CROSS JOIN whole
CROSS JOIN unnest(sequence(0, 60)) AS later (weeks)
LEFT JOIN returns ON returns.cohort = cohorts.cohort AND returns.week = date_add('week', later.weeks, cohorts.cohort)
WHERE date_add('week', later.weeks, cohorts.cohort) <= last_monday
ORDER BY cohorts.cohort, later.weeks
