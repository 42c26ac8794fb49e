"""Names of the endpoints that are no event type, and so may not be the name of one."""

from __future__ import annotations

BATCH, TYPES, HEALTH, METRICS, OPENAPI, DOCS = "events", "event-types", "health", "metrics", "openapi.json", "docs"
RESERVED = (BATCH, TYPES, HEALTH, METRICS, OPENAPI, DOCS)
