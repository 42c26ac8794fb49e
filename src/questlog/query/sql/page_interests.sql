-- Which pages of the game do players look at: those about the shop, the quests, the guilds?
-- shop: a player's views of /shop, rows
-- quests: of /quests, rows
-- guilds: of /guilds, rows
-- players: with exactly these counts
WITH counted AS (
    SELECT
        count_if(page = '/shop') AS shop,
        count_if(page = '/quests') AS quests,
        count_if(page = '/guilds') AS guilds
    FROM page_view
    WHERE user_id <> 'anonymous'
    GROUP BY user_id
)
SELECT shop, quests, guilds, count(*) AS players
FROM counted
GROUP BY shop, quests, guilds
ORDER BY shop, quests, guilds
