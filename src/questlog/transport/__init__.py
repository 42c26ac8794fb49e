"""Kafka: the topic of the events, who writes it and who reads it back.

The only room that knows the Kafka client; its errors leave as `TransportError`.

- `topics`: create, delete and look at the topic
- `producer`: publish records, and return once Kafka has acknowledged them
- `group`: what threads publish at the same time goes together
- `partitions`: which of the topic's partitions a record goes to
- `link`: one process's connection of the producer, made anew when it breaks
- `network`: the client's thread, woken once for several records
- `reader`: read the topic from end to end
- `client`: what all of them share
"""
