-- Do players who join a guild on their first day come back more than others?
-- day: of the player's first event, UTC
-- joined: yes or no, a guild on that day
-- players: who arrived that day, did something else after that event, and whose second week the data hold
-- returned: of these, players seen in their second week, 7 to 13 days after the first event
-- gold: spent by these players in their first two weeks, gold
WITH played AS (
    SELECT
        user_id,
        event_date,
        count(*) AS events,
        count_if(event_type = 'join_guild') AS joins,
        min(event_date) OVER (PARTITION BY user_id) AS first_day,
        max(event_date) OVER () AS last_day
    FROM events
    WHERE user_id <> 'anonymous'
    GROUP BY user_id, event_date
),
players AS (
    SELECT
        user_id,
        first_day,
        IF(sum(joins) FILTER (WHERE event_date = first_day) > 0, 'yes', 'no') AS joined,
        count_if(date_diff('day', first_day, event_date) BETWEEN 7 AND 13) > 0 AS returned
    FROM played
    WHERE date_add('day', 13, first_day) <= last_day
    GROUP BY user_id, first_day
    HAVING sum(events) FILTER (WHERE event_date = first_day) > 1
),
spent AS (
    SELECT players.user_id, sum(gold) AS gold
    FROM players
    JOIN purchases ON purchases.user_id = players.user_id
    WHERE date_diff('day', first_day, event_date) <= 13
    GROUP BY players.user_id
)
SELECT
    first_day AS day,
    joined,
    count(*) AS players,
    count_if(returned) AS returned,
    coalesce(sum(gold), 0) AS gold
FROM players
LEFT JOIN spent ON spent.user_id = players.user_id
GROUP BY first_day, joined
ORDER BY day, joined
