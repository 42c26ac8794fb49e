-- What do explorers, collectors, social players and passers-by spend, and on which items?
-- segment: passer-by (seen on one day), else social (joined a guild), else collector (more purchases than quests), or explorer
-- players: of the segment
-- kind: sword, shield or potion; null where a segment bought nothing
-- item: which of them
-- buyers: players of the segment who bought it
-- pieces: bought, pieces
-- gold: spent on it, gold
WITH counted AS (
    SELECT
        user_id,
        count(DISTINCT event_date) AS days,
        count_if(event_type = 'join_guild') AS joins,
        count_if(event_type = 'start_quest') AS quests
    FROM events
    WHERE user_id <> 'anonymous'
    GROUP BY user_id
),
bought AS (
    SELECT user_id, count(*) AS times
    FROM purchases
    GROUP BY user_id
),
placed AS (
    SELECT
        counted.user_id,
        CASE
            WHEN days = 1 THEN 'passer-by'
            WHEN joins > 0 THEN 'social'
            WHEN times > quests THEN 'collector'
            ELSE 'explorer'
        END AS segment
    FROM counted
    LEFT JOIN bought ON bought.user_id = counted.user_id
),
sizes AS (
    SELECT segment, count(*) AS players
    FROM placed
    GROUP BY segment
)
SELECT
    sizes.segment,
    players,
    kind,
    item,
    count(DISTINCT sold.user_id) AS buyers,
    coalesce(sum(quantity), 0) AS pieces,
    coalesce(sum(gold), 0) AS gold
FROM sizes
LEFT JOIN (
    SELECT segment, purchases.user_id, kind, item, quantity, gold
    FROM purchases
    JOIN placed ON placed.user_id = purchases.user_id
) AS sold ON sold.segment = sizes.segment
GROUP BY sizes.segment, players, kind, item
ORDER BY sizes.segment, gold DESC, kind, item
