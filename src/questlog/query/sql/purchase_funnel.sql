-- How far do new players come on the way to a second purchase, and how long does each step take?
-- step: number of the step, from 1
-- name: what the player did
-- players: distinct players who came this far
-- share: of those who created a player, 0 to 1
-- share_of_previous: of those who took the step before, 0 to 1
-- median_hours: from the step before to this one; half of those who took it took no longer, hours
WITH created AS (
    SELECT user_id, min(event_time) AS created_at
    FROM create_player
    WHERE user_id <> 'anonymous'
    GROUP BY user_id
),
played AS (
    SELECT created.user_id, created_at, min(start_quest.event_time) AS played_at
    FROM created
    LEFT JOIN start_quest ON start_quest.user_id = created.user_id AND start_quest.event_time >= created_at
    GROUP BY created.user_id, created_at
),
bought AS (
    SELECT
        played.user_id,
        created_at,
        played_at,
        array_sort(array_agg(event_time) FILTER (WHERE event_time IS NOT NULL)) AS times
    FROM played
    LEFT JOIN purchases ON purchases.user_id = played.user_id AND purchases.event_time >= played_at
    GROUP BY played.user_id, created_at, played_at
),
steps AS (
    SELECT step, name, reached_at, lag(reached_at) OVER (PARTITION BY user_id ORDER BY step) AS before_at
    FROM bought
    CROSS JOIN unnest(
        ARRAY['created a player', 'started a quest', 'bought an item', 'bought again'],
        ARRAY[created_at, played_at, element_at(times, 1), element_at(times, 2)]
    ) WITH ORDINALITY AS reached (name, reached_at, step)
),
counted AS (
    SELECT
        step,
        name,
        count(reached_at) AS players,
        array_sort(array_agg(date_diff('second', before_at, reached_at)) FILTER (WHERE reached_at IS NOT NULL)) AS took
    FROM steps
    GROUP BY step, name
)
SELECT
    step,
    name,
    players,
    cast(players AS double) / first_value(players) OVER (ORDER BY step) AS share,
    cast(players AS double) / nullif(lag(players, 1, players) OVER (ORDER BY step), 0) AS share_of_previous,
    element_at(took, (players + 1) / 2) / 3600.0E0 AS median_hours
FROM counted
ORDER BY step
