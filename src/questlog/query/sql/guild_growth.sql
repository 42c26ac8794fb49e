-- How do the guilds grow, day by day?
-- day: UTC, days on which somebody joined or left
-- guild: its name
-- joined: times that a player joined that day
-- departed: times that a player left that day
-- members_net: joined less departed, from the first day up to this one
WITH moves AS (
    SELECT event_date, guild, 1 AS joins FROM join_guild
    UNION ALL
    SELECT event_date, guild, 0 AS joins FROM leave_guild
)
SELECT
    event_date AS day,
    guild,
    sum(joins) AS joined,
    count(*) - sum(joins) AS departed,
    sum(2 * sum(joins) - count(*)) OVER (PARTITION BY guild ORDER BY event_date) AS members_net
FROM moves
GROUP BY event_date, guild
ORDER BY day, guild
