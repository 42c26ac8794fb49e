-- How many players come back, so many days after their first event?
-- days: since the day of the first event
-- eligible: players who could have been seen so many days later, before the data ends
-- returned: of these, players seen on that very day
-- share: returned of eligible, 0 to 1
-- parameter days = 14: the most days to look ahead
WITH played AS (
    SELECT
        user_id,
        array_agg(DISTINCT event_date) AS days_seen,
        min(event_date) AS first_day,
        max(max(event_date)) OVER () AS last_day
    FROM events
    WHERE user_id <> 'anonymous'
    GROUP BY user_id
)
SELECT
    later.days,
    count(*) AS eligible,
    count_if(contains(days_seen, date_add('day', later.days, first_day))) AS returned,
    cast(count_if(contains(days_seen, date_add('day', later.days, first_day))) AS double) / count(*) AS share
FROM played
CROSS JOIN unnest(sequence(1, %(days)s)) AS later (days)
WHERE date_add('day', later.days, first_day) <= last_day
GROUP BY later.days
ORDER BY later.days
