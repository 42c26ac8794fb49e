-- What became of the events of each type, by the audit of each micro-batch?
-- event_type: kind of event
-- landed: written to the tables, rows
-- filtered: of a type that the stream was told not to land, rows
-- rejected: written to the dead letters, rows
-- duplicates: of an event that has landed already, rows
SELECT
    event_type,
    sum(landed) AS landed,
    sum(filtered) AS filtered,
    sum(rejected) AS rejected,
    coalesce(sum(duplicates), 0) AS duplicates
FROM batches
GROUP BY event_type
ORDER BY event_type
