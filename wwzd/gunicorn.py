"""gunicorn's settings: one process, so that the catalogue is mapped once, and threads, most of which wait."""

from typing import Any

from django.conf import settings

from wwzd.lifeline import die_with_parent, die_with_supervisor

wsgi_app = "wwzd.wsgi:application"
bind = f"{settings.HOST}:{settings.PORT}"
worker_class = "gthread"
workers = 1
threads = settings.THREADS
timeout = 60  # of silence from the process, not of a request: a synchronous upload may take its minutes
graceful_timeout = 20
keepalive = 15
limit_request_line = 8190  # as long as may be: gunicorn refuses longer ones itself, in HTML
loglevel = "warning"
control_socket_disable = True


def when_ready(server: Any) -> None:
    die_with_supervisor()


def post_fork(server: Any, worker: Any) -> None:
    # gunicorn's own process would notice too, but first finish its requests, and keep the port meanwhile.
    die_with_parent(server.pid)
