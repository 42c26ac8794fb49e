-- What does each item of a kind cost, and how often is it sold, day by day?
-- day: UTC
-- item: which of them
-- purchases: rows
-- gold: earned, gold
-- price: of a piece, geometric mean, gold
-- parameter kind = "sword": sword, shield or potion
SELECT
    event_date AS day,
    item,
    count(*) AS purchases,
    sum(gold) AS gold,
    round(exp(avg(ln(price))), 6) AS price
FROM purchases
WHERE kind = %(kind)s AND price > 0
GROUP BY event_date, item
ORDER BY day, item
