-- What do players buy first?
-- day: of the player's first purchase, UTC
-- character: class of the player's character, the last one they created
-- kind: sword, shield or potion
-- players: whose first purchase it was
WITH created AS (
    SELECT user_id, max_by("character", event_time) AS "character"
    FROM create_player
    WHERE user_id <> 'anonymous'
    GROUP BY user_id
),
bought AS (
    SELECT
        user_id,
        event_date,
        kind,
        row_number() OVER (PARTITION BY user_id ORDER BY event_time, kind, event_id) AS place
    FROM purchases
)
SELECT event_date AS day, "character", kind, count(*) AS players
FROM bought
JOIN created ON created.user_id = bought.user_id
WHERE place = 1
GROUP BY event_date, "character", kind
ORDER BY day, "character", kind
