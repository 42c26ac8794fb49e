-- What does the shop earn each day?
-- day: UTC
-- kind: sword, shield or potion
-- pieces: sold, pieces
-- gold: earned, gold
SELECT
    event_date AS day,
    kind,
    sum(quantity) AS pieces,
    sum(gold) AS gold
FROM purchases
GROUP BY event_date, kind
ORDER BY day, kind
