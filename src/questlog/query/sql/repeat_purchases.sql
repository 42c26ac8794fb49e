-- How many buyers buy again, and how soon?
-- purchase: the player's first, second, third ...
-- players: who made it
-- share_of_previous: of those who made the purchase before, 0 to 1; 1 for the first
-- median_hours: since the purchase before; half of those who made it took no longer, hours
-- parameter most = 8: purchases to look at
WITH timed AS (
    SELECT
        row_number() OVER (PARTITION BY user_id ORDER BY event_time, event_id) AS purchase,
        date_diff('second', lag(event_time) OVER (PARTITION BY user_id ORDER BY event_time, event_id), event_time) AS since
    FROM purchases
    WHERE user_id <> 'anonymous'
),
counted AS (
    SELECT purchase, count(*) AS players, array_sort(array_agg(since)) AS waits
    FROM timed
    WHERE purchase <= %(most)s
    GROUP BY purchase
)
SELECT
    purchase,
    players,
    cast(players AS double) / lag(players, 1, players) OVER (ORDER BY purchase) AS share_of_previous,
    element_at(waits, (players + 1) / 2) / 3600.0E0 AS median_hours
FROM counted
ORDER BY purchase
