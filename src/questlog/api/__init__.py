"""The game's API server: players' actions come in as HTTP requests, are checked, and are handed to `publish`.

- `app`: the Flask application, its routes made from the event catalogue
- `reading`: a request's query, form or JSON becomes parameters
- `batch`: many events in one request, as newline-delimited JSON
- `refusal`: every error as a JSON answer
- `description`: the catalogue as JSON, for clients
- `counters`: what was accepted and refused, readable from any process
- `server`: runs the application on a real WSGI server
"""
