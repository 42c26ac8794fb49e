-- Which records were rejected, and why?
-- event_type: the type that the record names
-- reason: why it is no valid event
-- records: rejected, rows
SELECT event_type, reason, count(*) AS records
FROM dead_letters
GROUP BY event_type, reason
ORDER BY records DESC, event_type, reason
