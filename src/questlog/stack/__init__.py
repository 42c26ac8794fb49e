"""The local servers: each is fetched, configured, started, asked whether it is ready, and stopped."""
