-- After buying which item do players stay away?
-- kind: sword, shield or potion
-- item: which of them
-- buyers: times that a player bought it on some day; a player's first day is left out, many never see a second
-- gone: of these, not seen in the days after
-- others: times that a player bought another item of the kind on some day, and not this one
-- others_gone: of these, not seen in the days after
-- parameter days = 7: to look ahead; only days that are followed by so many in the data
WITH played AS (
    SELECT
        user_id,
        event_date,
        lead(event_date) OVER (PARTITION BY user_id ORDER BY event_date) AS next_day,
        min(event_date) OVER (PARTITION BY user_id) AS first_day,
        max(event_date) OVER () AS last_day
    FROM events
    WHERE user_id <> 'anonymous'
    GROUP BY user_id, event_date
),
bought AS (
    SELECT
        purchases.user_id,
        kind,
        purchases.event_date,
        array_agg(DISTINCT item) AS items,
        coalesce(max(next_day) > date_add('day', %(days)s, purchases.event_date), true) AS gone
    FROM purchases
    JOIN played ON played.user_id = purchases.user_id AND played.event_date = purchases.event_date
    WHERE purchases.event_date > first_day AND date_add('day', %(days)s, purchases.event_date) <= last_day
    GROUP BY purchases.user_id, kind, purchases.event_date
),
known AS (
    SELECT DISTINCT kind, item
    FROM bought
    CROSS JOIN unnest(items) AS each (item)
)
SELECT
    known.kind,
    known.item,
    count_if(contains(items, known.item)) AS buyers,
    count_if(contains(items, known.item) AND gone) AS gone,
    count_if(NOT contains(items, known.item)) AS others,
    count_if(NOT contains(items, known.item) AND gone) AS others_gone
FROM known
JOIN bought ON bought.kind = known.kind
GROUP BY known.kind, known.item
ORDER BY known.kind, known.item
