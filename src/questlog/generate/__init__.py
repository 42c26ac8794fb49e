"""Players who behave, and Apache Bench to send what they do.

- `world`: how many players, events and days, and the seed
- `model`: the events of a world, in the order of their time
- `effects`: what is planted for analysis to find; `planted`: its truth, as an analysis would measure it
- `attendance`, `segments`, `players`, `actions`, `quests`, `prices`, `guilds`: what the model knows
  of a game
- `filling`: an event's fields, kept to the catalogue; `dice`: the draws
- `bad`: requests that the API refuses; `stray`: records that the stream rejects
- `bench`: one run of Apache Bench; `address`: what it sends, and where
- `send`: a whole world through Apache Bench, in `lanes`, counted by `tally`
- `load`: one kind of request, as fast as it goes
- `parameters`: the model's numbers as a table
"""
