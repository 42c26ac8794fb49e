-- How hard do players like their quests?
-- difficulty: easy, normal or hard
-- started: times that a player set out
-- players: distinct players who did
SELECT
    difficulty,
    count(*) AS started,
    count(DISTINCT user_id) FILTER (WHERE user_id <> 'anonymous') AS players
FROM start_quest
GROUP BY difficulty
ORDER BY started DESC, difficulty
