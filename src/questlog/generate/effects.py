"""What is planted in a world for analysis to find again, and on which days; each can be switched off.

=============  =======================================================================================
`week`         players come more on Saturdays and Sundays (`attendance.WEEK_RHYTHM`)
`sale`         the shop is cheaper on these days (`prices.WEEKEND_SALE`)
`segments`     explorers, collectors and social players (`segments.SEGMENTS`); without: all alike
`lapsing`      some players never come back after their first day
`price`        from a known day on swords cost more, and players want them less
`campaign`     for some known days new players are called into a guild as they arrive
`churn`        players who drink a certain potion stay away
`bots`         some players are programs
=============  =======================================================================================
"""

from __future__ import annotations

EFFECTS = ("week", "sale", "segments", "lapsing", "price", "campaign", "churn", "bots")
"""Names of the effects that a world can have."""

LAPSING_SHARE = 0.3
"""Players who never come back after their first day; the others stay for `attendance.GRACE_DAYS` at least."""

PRICE_DAY = 0.4
"""When the price of swords changes: the share of the world's days that is over by then."""
PRICED = "purchase_sword"
"""The type of event whose items change their price on that day."""
PRICE_CHANGE = 1.25
"""Factor on these prices from that day on; weekends' sales come on top."""
PRICE_RESPONSE = 0.45
"""Factor on the inclination to buy a sword from that day on."""

CAMPAIGN_DAYS = (0.6, 0.85)
"""When the guild campaign begins and ends: the share of the world's days that is over by then."""
CAMPAIGN_ANSWERED = 0.3
"""Chance that a new player of these days joins a guild at once, whatever they would do otherwise."""

CHURN_ITEM = ("purchase_potion", "haste")
"""The item after which players stay away: the type of event that buys it, and its name."""
CHURN = 0.35
"""Chance that a player who bought it on a day never comes back after that day; the day of arrival is spared."""

BOT_SHARE = 0.03
"""Players who are programs: they look at one page over and over, and do nothing else."""
BOT_PAGE = "/leaderboard"
"""The page they look at."""
BOT_PAUSE = 2.0
"""Seconds between two looks, always the same."""
BOT_ENGAGEMENT = 3.0
"""How many times more events a bot's visit has than a person's."""
