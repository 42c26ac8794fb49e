"""Tables, figures and findings: what chapters show, computed from the frames that queries give.

- `style`: the one look, and the colour of each event type
- `chart`: a figure that shows itself, with a title that may be long
- `figures`: one chart a function, frame in, figure out
- `findings`: sentences that the numbers support, and what to do about them
- `telling`: all findings of the report at once
- `estimates`: how large an effect is, with its interval, from the answer to one query
- `recovery`: what was planted in a simulated world, found again
- `tables`: frames formatted for people; `code`: SQL as a block
- `diagram`: the flow of the data, with the part we are in marked
"""
