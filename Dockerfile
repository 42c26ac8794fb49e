# One image for every service of docker-compose.yml: this tree, with exactly the environment and the engines that it locks.
FROM python:3.11.14-slim-bookworm

ENV QUESTLOG_CACHE_DIR=/var/cache/questlog \
    PIP_NO_CACHE_DIR=1 \
    PATH=/questlog/.venv/bin:$PATH
WORKDIR /questlog

# First what the set-up depends on: a change of a template or a chapter does not fetch a gigabyte again.
COPY LICENSE README.md pyproject.toml ./
COPY locks locks
COPY scripts scripts
COPY src src
RUN scripts/setup && .venv/bin/python -m compileall -q src && rm -rf /var/lib/apt/lists/*
COPY . .

# The servers own their data and nothing else. A new volume takes over the owner of the folder that it is mounted on.
RUN useradd --uid 1000 --create-home questlog && mkdir -p /data/metrics && chown -R questlog /data
USER questlog
