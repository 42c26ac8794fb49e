-- What does the stream say it did with the events of each type, valid or not?
-- event_type: kind of event
-- landed: written to the tables, rows
-- filtered: of a type that the stream was told not to land, rows
-- rejected: written to the dead letters, rows
-- repeated: of an event that has landed already, rows
SELECT
    event_type,
    sum(landed) AS landed,
    sum(filtered) AS filtered,
    sum(rejected) AS rejected,
    coalesce(sum(repeated), 0) AS repeated
FROM ledger
GROUP BY event_type
ORDER BY event_type
