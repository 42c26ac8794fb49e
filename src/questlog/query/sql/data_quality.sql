-- How clean are the data?
-- check: what was looked for
-- records: of which it is true
-- of_records: that were looked at
-- share: records of of_records, 0 to 1
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
    SELECT coalesce(sum(landed + filtered + rejected), 0) + coalesce(sum(repeated), 0) AS records,
        coalesce(sum(repeated), 0) AS repeated
    FROM ledger
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
    number AS records,
    whole AS of_records,
    cast(number AS double) / nullif(whole, 0) AS share
FROM counted
CROSS JOIN told
CROSS JOIN letters
CROSS JOIN unnest(
    ARRAY['rejected: no valid event', 'repeated: landed already', 'overtaken: after a later event of the player',
        'nameless: of no known player'],
    ARRAY[rejected, repeated, overtaken, nameless],
    ARRAY[records, records, landed, landed]
) WITH ORDINALITY AS checks (name, number, whole, place)
ORDER BY place
