-- How clean are the data?
-- check: what was looked for
-- found: events, valid or not, of which it is true
-- looked_at: events that were looked at
-- share: found of looked_at, 0 to 1
WITH landed AS (
    SELECT
        user_id,
        event_time < max(event_time) OVER (
            PARTITION BY user_id, kafka_partition
            ORDER BY kafka_offset, kafka_position
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS overtaken
    FROM events
),
told AS (
    SELECT coalesce(sum(landed + filtered + rejected), 0) + coalesce(sum(duplicates), 0) AS events,
        coalesce(sum(duplicates), 0) AS duplicates
    FROM batches
),
letters AS (
    SELECT count(*) AS rejected
    FROM dead_letters
),
counted AS (
    SELECT
        count(*) AS landed,
        count_if(overtaken) AS overtaken,
        count_if(user_id = 'anonymous') AS nameless
    FROM landed
)
SELECT
    name AS "check",
    number AS found,
    whole AS looked_at,
    cast(number AS double) / nullif(whole, 0) AS share
FROM counted
CROSS JOIN told
CROSS JOIN letters
CROSS JOIN unnest(
    ARRAY['rejected: no valid event', 'duplicates: landed already', 'overtaken: after a later event of the player',
        'nameless: of no known player'],
    ARRAY[rejected, duplicates, overtaken, nameless],
    ARRAY[events, events, landed, landed]
) WITH ORDINALITY AS checks (name, number, whole, place)
ORDER BY place
