-- Why do players leave their guild?
-- reason: in the player's words; null when none was given
-- departed: times that it was given
SELECT reason, count(*) AS departed
FROM leave_guild
GROUP BY reason
ORDER BY departed DESC, reason
