"""The API server: this package itself, in processes of its own."""

from __future__ import annotations

import sys

from questlog.settings import Settings
from questlog.stack import service
from questlog.stack.service import Service

NAME = "api"


def service_of(settings: Settings) -> Service:
    """The API server, ready when it says that it is well."""
    url = f"http://{settings.host}:{settings.api_port}"
    return Service(
        name=NAME,
        command=(sys.executable, "-m", "questlog", "api"),
        environment=settings.variables(),
        directory=settings.data_dir,
        log=settings.logs_dir / f"{NAME}.log",
        ports=(settings.api_port,),
        web=url,
        ready=lambda: service.ask_json(f"{url}/health") is not None,
        after=("kafka",),
    )
