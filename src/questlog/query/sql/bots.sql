-- How many players are programs?
-- who: programs, whose pauses within a session are never longer than the limit; people, who made a longer one; unclear, with too few to tell
-- players: distinct players, without those who gave no name
-- events: what they did, rows
-- parameter seconds = 3: the limit; people need longer between two actions
-- parameter least = 3: such pauses that a player must have had to be called a program
WITH timed AS (
    SELECT
        user_id,
        date_diff(
            'millisecond',
            lag(event_time) OVER (PARTITION BY user_id ORDER BY event_time, kafka_partition, kafka_offset),
            event_time
        ) AS pause
    FROM events
    WHERE user_id <> 'anonymous'
),
counted AS (
    SELECT
        user_id,
        count(*) AS events,
        count_if(pause <= 30 * 60 * 1000) AS pauses,
        count_if(pause <= 1000 * %(seconds)s) AS short_pauses
    FROM timed
    GROUP BY user_id
)
SELECT
    CASE
        WHEN pauses > short_pauses THEN 'people'
        WHEN pauses >= %(least)s THEN 'programs'
        ELSE 'unclear'
    END AS who,
    count(*) AS players,
    sum(events) AS events
FROM counted
GROUP BY 1
ORDER BY who
