-- Who spends the most gold?
-- user_id: the player
-- purchases: rows
-- pieces: bought, pieces
-- gold: spent, gold
-- share: of all gold spent by anybody, 0 to 1
-- parameter most = 10: players shown, from the top
WITH spent AS (
    SELECT
        user_id,
        count(*) AS purchases,
        sum(quantity) AS pieces,
        sum(gold) AS gold,
        sum(sum(gold)) OVER () AS all_gold
    FROM purchases
    GROUP BY user_id
)
SELECT
    user_id,
    purchases,
    pieces,
    gold,
    cast(gold AS double) / nullif(all_gold, 0) AS share
FROM spent
WHERE user_id <> 'anonymous'
ORDER BY gold DESC, user_id
LIMIT %(most)s
