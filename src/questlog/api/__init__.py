"""The game's API server: players' actions come in as HTTP requests, are checked, and are handed to `publish`.

- `app`: the Flask application, its routes made from the event catalogue
- `reading`: a request's query, form or JSON becomes parameters
- `batch`: many events in one request, as newline-delimited JSON
- `gate`: who may write, how often (`throttle`), and how large a request's head may be
- `refusal`: every error as a JSON answer
- `description`: the catalogue as JSON, for clients
- `openapi`: the whole API as an OpenAPI document, of `schemas`; `trying`: a page on which to try it
- `access`: each request's id and its line in the log, which `lines` writes
- `counters`: what was accepted and refused, and how long it took, readable from any process; their files are `shared`
- `server`: runs the application on a real WSGI server; `patience` ends slow clients
"""
