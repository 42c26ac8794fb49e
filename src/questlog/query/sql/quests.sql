-- Which quests are played, won and given up?
-- quest: its name
-- started: times that a player set out
-- won: times
-- lost: times
-- abandoned: times
-- win_rate: won of all that ended, 0 to 1
-- median_duration: from start to end, seconds
-- gold: earned by players, gold
WITH ended AS (
    SELECT
        quest,
        outcome,
        gold,
        duration,
        row_number() OVER (PARTITION BY quest ORDER BY duration, kafka_partition, kafka_offset, kafka_position) AS place,
        count(duration) OVER (PARTITION BY quest) AS timed
    FROM finish_quest
),
finished AS (
    SELECT
        quest,
        count_if(outcome = 'won') AS won,
        count_if(outcome = 'lost') AS lost,
        count_if(outcome = 'abandoned') AS abandoned,
        count(*) AS ended,
        coalesce(sum(gold), 0) AS gold,
        -- The mean of the one or two in the middle: exact, where approx_percentile is not.
        cast(sum(duration) FILTER (WHERE place IN ((timed + 1) / 2, (timed + 2) / 2)) AS double)
            / count(duration) FILTER (WHERE place IN ((timed + 1) / 2, (timed + 2) / 2)) AS median_duration
    FROM ended
    GROUP BY quest
),
begun AS (
    SELECT quest, count(*) AS started
    FROM start_quest
    GROUP BY quest
)
SELECT
    quest,
    coalesce(started, 0) AS started,
    coalesce(won, 0) AS won,
    coalesce(lost, 0) AS lost,
    coalesce(abandoned, 0) AS abandoned,
    cast(won AS double) / ended AS win_rate,
    median_duration,
    coalesce(gold, 0) AS gold
FROM begun
FULL JOIN finished USING (quest)
ORDER BY started DESC, quest
