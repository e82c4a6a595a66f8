"""gunicorn's settings: one process, so that the catalogue is mapped once, and threads, which meet no slow client where
nginx stands before it."""

from importlib import import_module
from threading import Thread
from typing import Any

from django.conf import settings

from .lifeline import die_with_parent, die_with_supervisor

wsgi_app = "wwzd.wsgi:application"
bind = f"unix:{settings.SOCKET}" if settings.SOCKET else f"{settings.HOST}:{settings.PORT}"
worker_class = "gthread"
workers = 1
threads = settings.THREADS
timeout = 60  # of silence from the process, not of a request: a synchronous upload may take its minutes
graceful_timeout = 20
keepalive = 90 if settings.SOCKET else 15  # nginx is to be the one that closes, after 60: it asks nothing in vain then
limit_request_line = 8190  # as long as may be: gunicorn refuses longer ones itself, in HTML
loglevel = "warning"
control_socket_disable = True


def when_ready(server: Any) -> None:
    die_with_supervisor()


def post_fork(server: Any, worker: Any) -> None:
    # gunicorn's own process would notice too, but first finish its requests, and keep the port meanwhile.
    die_with_parent(server.pid)


def post_worker_init(worker: Any) -> None:
    # Takes as long as a whole page does: neither a start nor the first filter is to wait for it.
    Thread(target=import_module, args=["datasets.collection.image_table"], daemon=True).start()
    if settings.STORAGE_URL:
        Thread(target=import_module("datasets.uploads.local_copies").look_after, daemon=True).start()
