-- Which guilds grow, and what do their members spend?
-- guild: its name
-- joined: times that a player joined
-- departed: times that a player left
-- members_net: joined less departed
-- members: players whose last word on any guild was to join this one
-- members_gold: spent on items by these members, ever, gold
-- gold_per_member: members_gold for each member, gold
WITH moves AS (
    SELECT user_id, guild, 1 AS joins, event_time, kafka_partition, kafka_offset, kafka_position FROM join_guild
    UNION ALL
    SELECT user_id, guild, 0 AS joins, event_time, kafka_partition, kafka_offset, kafka_position FROM leave_guild
),
ordered AS (
    SELECT
        user_id,
        guild,
        joins,
        row_number() OVER (
            PARTITION BY user_id ORDER BY event_time DESC, kafka_partition DESC, kafka_offset DESC, kafka_position DESC
        ) AS back
    FROM moves
),
spent AS (
    SELECT user_id, sum(gold) AS gold
    FROM purchases
    GROUP BY user_id
),
counted AS (
    SELECT
        guild,
        sum(joins) AS joined,
        count(*) - sum(joins) AS departed,
        count_if(back = 1 AND joins = 1) AS members,
        coalesce(sum(spent.gold) FILTER (WHERE back = 1 AND joins = 1), 0) AS members_gold
    FROM ordered
    LEFT JOIN spent ON spent.user_id = ordered.user_id
    GROUP BY guild
)
SELECT
    guild,
    joined,
    departed,
    joined - departed AS members_net,
    members,
    members_gold,
    cast(members_gold AS double) / nullif(members, 0) AS gold_per_member
FROM counted
ORDER BY members DESC, members_gold DESC, guild
