"""The whole service in one command."""

import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from datasets import catalogue, compute, recovery
from datasets.supervisor import Child, run
from embeddings.backbones import WeightsError
from embeddings.features import is_converted
from embeddings.vectors import BadVectors
from wwzd.lifeline import SUPERVISOR_VARIABLE

MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]


class Command(BaseCommand):
    help = (
        "Serve: bring the database up to date, put right what a killed server left, install the catalogue, prepare the "
        "network, then run gunicorn and one warm worker, and replace either when it dies. Ctrl-C and SIGTERM stop "
        "both; a second Ctrl-C does not wait for the upload under way."
    )
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        with _only_server():
            _check_port_is_free()
            call_command("migrate", verbosity=0)
            recovery.after_service_death()
            self._ensure_network()
            self._ensure_catalogue()
            call_command("check")
            self._say_what_is_served()
            connection.close()
            os.environ[SUPERVISOR_VARIABLE] = str(os.getpid())
            web = [sys.executable, "-m", "gunicorn", "--config", "python:wwzd.gunicorn"]
            children = [
                Child("web", web),
                Child("worker", [*MANAGE, "worker"], on_death=recovery.after_worker_death),
            ]
            if not run(children, log=self._log):
                raise CommandError("The service cannot stay up; the lines above say why.")
            recovery.after_service_death()

    def _ensure_network(self) -> None:
        try:
            if is_converted(compute.weights(), settings.CACHE_DIR):
                return
        except WeightsError:
            pass
        if subprocess.run([*MANAGE, "prepare"]).returncode:
            raise CommandError("There is no network to compute with.")

    def _ensure_catalogue(self) -> None:
        data = settings.DATA_DIR
        try:
            if catalogue.has_new_pickles(data):
                self._log("The pickles in data/pickles are new: importing them.")
                catalogue.import_pickles(data)
            elif not catalogue.read_card(data) and settings.DEMO:
                self._log("There is no catalogue: building the demo from scikit-learn's digits.")
                if subprocess.run([*MANAGE, "build_demo"]).returncode:
                    raise CommandError("The demo catalogue could not be built. DEMO=0 starts without it.")
        except BadVectors as error:
            raise CommandError(f"The catalogue cannot be installed: {error}") from error

    def _say_what_is_served(self) -> None:
        installed, weights = compute.shelf().catalogue(), compute.weights()
        place = "the catalogue's space" if compute.space(weights) else "a space of their own each"
        host = "localhost" if settings.HOST in {"0.0.0.0", "::"} else settings.HOST  # noqa: S104
        what = f"{installed.name}, {installed.total:,} pictures" if installed.total else "none"
        self._log(f"WWZD      http://{host}:{settings.PORT}  (Ctrl-C stops it)")
        self._log(f"data      {settings.DATA_DIR}")
        self._log(f"catalogue {what}")
        self._log(f"backbone  {weights.backbone.name}, {weights.path} ({weights.source})")
        if weights.backbone.name != "resnet50" and settings.BACKBONE == "auto":
            self._log("          in place of ResNet50, whose weights are not at hand; `manage.py prepare` fetches them")
        self._log(f"uploads   are placed in {place}; the worker warms up in the background")

    def _log(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


@contextmanager
def _only_server() -> Iterator[None]:
    """One service a data folder: recovery at start would end the work of another one."""
    with (settings.DATA_DIR / "serve.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CommandError(f"Another server works on {settings.DATA_DIR} already.") from error
        yield


def _check_port_is_free() -> None:
    family = socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.HOST, settings.PORT))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {settings.HOST}:{settings.PORT}: {error.strerror}. PORT=8000 make run takes another."
            ) from error
