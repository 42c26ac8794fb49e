-- Which items sell, and what do they earn?
-- kind: sword, shield or potion
-- item: which of them
-- purchases: rows
-- pieces: sold, pieces
-- gold: earned, gold
-- gold_per_piece: mean price of a piece, gold
SELECT
    kind,
    item,
    count(*) AS purchases,
    sum(quantity) AS pieces,
    sum(gold) AS gold,
    cast(sum(gold) AS double) / sum(quantity) AS gold_per_piece
FROM purchases
GROUP BY kind, item
ORDER BY gold DESC, kind, item
