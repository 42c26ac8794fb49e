-- Which classes of character are chosen, and which of them spend?
-- character: warrior, mage, rogue or healer
-- players: distinct players who created one; the last one counts
-- buyers: of these, players who bought something
-- gold: spent by these players, gold
-- gold_per_player: gold for each player of the class, gold
WITH created AS (
    SELECT
        user_id,
        "character",
        row_number() OVER (
            PARTITION BY user_id ORDER BY event_time DESC, kafka_partition DESC, kafka_offset DESC, kafka_position DESC
        ) AS back
    FROM create_player
    WHERE user_id <> 'anonymous'
),
spent AS (
    SELECT user_id, sum(gold) AS gold
    FROM purchases
    GROUP BY user_id
)
SELECT
    "character",
    count(*) AS players,
    count(spent.gold) AS buyers,
    coalesce(sum(spent.gold), 0) AS gold,
    cast(coalesce(sum(spent.gold), 0) AS double) / count(*) AS gold_per_player
FROM created
LEFT JOIN spent ON spent.user_id = created.user_id
WHERE back = 1
GROUP BY "character"
ORDER BY players DESC, "character"
