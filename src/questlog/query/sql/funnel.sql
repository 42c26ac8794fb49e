-- How far do new players come? Each step counts those who took it after the step before.
-- step: number of the step, from 1
-- name: what the player did
-- players: distinct players who came this far
-- share: of those who created a player, 0 to 1
-- share_of_previous: of those who took the step before, 0 to 1
WITH created AS (
    SELECT user_id, min(event_time) AS created_at
    FROM create_player
    WHERE user_id <> 'anonymous'
    GROUP BY user_id
),
played AS (
    SELECT created.user_id, min(start_quest.event_time) AS played_at
    FROM created
    LEFT JOIN start_quest ON start_quest.user_id = created.user_id AND start_quest.event_time >= created_at
    GROUP BY created.user_id
),
bought AS (
    SELECT played.user_id, played_at, min(purchases.event_time) AS bought_at
    FROM played
    LEFT JOIN purchases ON purchases.user_id = played.user_id AND purchases.event_time >= played_at
    GROUP BY played.user_id, played_at
),
joined AS (
    SELECT bought.user_id, played_at, bought_at, min(join_guild.event_time) AS joined_at
    FROM bought
    LEFT JOIN join_guild ON join_guild.user_id = bought.user_id AND join_guild.event_time >= bought_at
    GROUP BY bought.user_id, played_at, bought_at
),
counted AS (
    SELECT count(*) AS created, count(played_at) AS played, count(bought_at) AS bought, count(joined_at) AS joined
    FROM joined
)
SELECT
    step,
    name,
    players,
    cast(players AS double) / nullif(created, 0) AS share,
    cast(players AS double) / nullif(lag(players, 1, players) OVER (ORDER BY step), 0) AS share_of_previous
FROM counted
CROSS JOIN unnest(
    ARRAY['created a player', 'started a quest', 'bought an item', 'joined a guild'],
    ARRAY[created, played, bought, joined]
) WITH ORDINALITY AS steps (name, players, step)
ORDER BY step
