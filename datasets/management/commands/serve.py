"""The whole service in one command."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from datasets.catalogue import conversion, installation, installed_catalogue, sharing
from datasets.errors import DiskFull
from datasets.management.base import command_error
from datasets.management.supervisor import Child, run
from datasets.models import Dataset, WorkerState
from datasets.pictures import pipeline_settings
from datasets.storage.objects import StorageAway, store
from datasets.uploads import disk_space, outages, recovery, worker_readiness
from embeddings.backbones import WeightsError
from embeddings.reducers import ModelError
from embeddings.vector_files import BadVectors
from wwzd import identity, nginx, open_files
from wwzd.lifeline import SUPERVISOR_VARIABLE

_LONGEST_SOCKET_FOLDER = 85
_MIGRATION_LOCK = 20210608
"""Of PostgreSQL's advisory locks."""
MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]


class Command(BaseCommand):
    help = (
        "Serve: bring the database up to date, put right what a killed server left, install the catalogue, then run "
        "nginx, gunicorn and one worker, which prepares the network first if need be, and replace each when it dies. "
        "Ctrl-C and SIGTERM stop them; a second Ctrl-C does not wait for the upload under way."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--web",
            action="store_true",
            help="Start no worker: others compute, which share the database and the store (docs/scaling.md).",
        )

    def handle(self, *args: Any, web: bool, **options: Any) -> None:
        if web and not settings.STORAGE_URL:
            raise CommandError("--web needs DATABASE_URL and STORAGE_URL: workers elsewhere see neither otherwise.")
        with _only_server():
            _check_port_is_free()
            with _as_command_errors():
                with _no_other_migration():
                    call_command("migrate", verbosity=0)
                if settings.STORAGE_URL:
                    store().check()
                elif settings.DATABASE_URL:
                    _check_database_is_own()
                recovery.after_service_death()
                sharing.follow(settings.DATA_DIR)
                _keep_private()
                disk_space.keep_reserve()
            self._ensure_catalogue()
            with _as_command_errors():
                sharing.begin(settings.DATA_DIR)
            if web:
                self._prepare()
            if worker_readiness.must_prepare():
                self._log("The network is prepared by the worker; what is there is served meanwhile.")
                WorkerState.objects.beat(identity.prefix(), ready=False, engine=worker_readiness.PREPARING)
            else:
                call_command("check")
            self._say_what_is_served()
            connection.close()
            os.environ[SUPERVISOR_VARIABLE] = str(os.getpid())
            gunicorn = [sys.executable, "-m", "gunicorn", "--config", "python:wwzd.gunicorn"]
            with _run_folder() as (folder, gunicorn_socket):
                children = [
                    *self._front(folder, gunicorn_socket),
                    Child("web", gunicorn, on_death=recovery.after_web_death),
                ]
                if not web:
                    children.append(_worker())
                if not run(children, log=self._log):
                    raise CommandError("The service cannot stay up; the lines above say why.")
            with _as_command_errors():
                recovery.after_service_death()

    def _front(self, folder: Path, gunicorn_socket: Path) -> list[Child]:
        """nginx, if it can be had. gunicorn listens on `gunicorn_socket` then, else on the port itself."""
        files = open_files.raise_limit(nginx.ENOUGH_FILES)
        os.environ.pop("NGINX", None)  # nginx itself takes it for sockets that it should inherit
        if settings.NGINX == "off":
            return []
        program = nginx.find(settings.NGINX)
        if program is None:
            self._log(
                "There is no nginx: gunicorn serves alone, and clients that are slow take one of its threads each."
            )
            return []
        file = folder / "nginx.conf"
        with _as_command_errors():
            file.write_text(nginx.configuration(folder, gunicorn_socket, files))
        command = [str(program), "-e", "stderr", "-p", str(folder), "-c", str(file)]
        if subprocess.run([*command, "-t", "-q"]).returncode:
            raise CommandError(f"{program} refuses its configuration. NGINX=off serves without it.")
        os.environ["WWZD_SOCKET"] = str(gunicorn_socket)
        launcher = [sys.executable, "-m", "wwzd.lifeline"]
        return [Child("nginx", [*launcher, *command], stop_signal=signal.SIGQUIT)]

    def _ensure_catalogue(self) -> None:
        data = settings.DATA_DIR
        try:
            if conversion.is_needed(data):
                self._log("The catalogue's folder is converted to the present form, once.")
                with _as_command_errors():
                    conversion.convert(data)
            if installed_catalogue.has_new_pickles(data):
                self._log("The pickles in data/pickles are new: importing them.")
                with _as_command_errors(), sharing.changing(data):
                    installation.import_pickles(data)
            elif not installed_catalogue.read_manifest(data) and settings.DEMO:
                self._build_demo()
        except BadVectors as error:
            raise CommandError(f"The catalogue cannot be installed: {error}") from error

    def _build_demo(self) -> None:
        """Before anything is served: an empty page would tell a newcomer nothing."""
        self._log("There is no catalogue: building the demo from scikit-learn's digits.")
        if not worker_readiness.must_prepare() or not subprocess.run([*MANAGE, "prepare"]).returncode:
            if not subprocess.run([*MANAGE, "build_demo"]).returncode:
                return
        elif Dataset.objects.ready().exists():
            return  # uploads can be looked at; the worker tries again, and /health tells
        raise CommandError("The demo catalogue could not be built. DEMO=0 starts without it.")

    def _prepare(self) -> None:
        """Where no worker does it: what an upload's id is made of must be known."""
        if worker_readiness.must_prepare() and subprocess.run([*MANAGE, "prepare"]).returncode:
            raise CommandError("The network could not be prepared; the lines above say why.")

    def _say_what_is_served(self) -> None:
        installed = installed_catalogue.catalogue_store().catalogue()
        host = "localhost" if settings.HOST in {"0.0.0.0", "::"} else settings.HOST  # noqa: S104
        what = f"{installed.name}, {installed.total:,} pictures" if installed.total else "none"
        self._log(f"WWZD      http://{host}:{settings.PORT}  (Ctrl-C stops it)")
        self._log(f"data      {settings.DATA_DIR}")
        self._log(f"catalogue {what}")
        try:
            weights = pipeline_settings.weights()
            place = "the catalogue's space" if pipeline_settings.space(weights) else "a space of their own each"
        except (ModelError, WeightsError) as error:
            self._log(f"backbone  {error}")
            return
        self._log(f"backbone  {weights.backbone.name}, {weights.path} ({weights.source})")
        if weights.backbone.name != "resnet50" and settings.BACKBONE == "auto":
            self._log("          in place of ResNet50, whose weights are not at hand; `manage.py prepare` fetches them")
        self._log(f"uploads   are placed in {place}; the worker warms up in the background")

    def _log(self, line: str) -> None:
        with suppress(OSError):  # the log may lie on the disk that is full
            self.stdout.write(line)
            self.stdout.flush()


def _worker() -> Child:
    return Child(
        "worker",
        [*MANAGE, "worker"],
        on_death=recovery.after_worker_death,
        what_is_wrong=recovery.what_is_wrong,
    )


@contextmanager
def _only_server() -> Iterator[None]:
    """One service a data folder: recovery at start would end the work of another one."""
    with ExitStack() as stack:
        with _as_command_errors():
            file = stack.enter_context((settings.DATA_DIR / "serve.lock").open("w"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CommandError(f"Another server works on {settings.DATA_DIR} already.") from error
        yield


@contextmanager
def _run_folder() -> Iterator[tuple[Path, Path]]:
    """A folder for what nginx writes, empty, and the path of gunicorn's socket, which may have 100 characters or so."""
    folder = settings.DATA_DIR / "run"
    shutil.rmtree(folder, ignore_errors=True)
    with _as_command_errors():
        folder.mkdir(mode=0o700, exist_ok=True)
    short = Path(tempfile.mkdtemp(prefix="wwzd-")) if len(str(folder)) > _LONGEST_SOCKET_FOLDER else folder
    try:
        yield folder, short / "gunicorn.sock"
    finally:
        shutil.rmtree(short, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _no_other_migration() -> Iterator[None]:
    """Servers of one database that start together make its tables one after the other."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])


@contextmanager
def _as_command_errors() -> Iterator[None]:
    try:
        yield
    except (DatabaseError, StorageAway, OSError) as error:
        data = settings.DATA_DIR
        if (found := command_error(error)) is not None:
            raise found from error
        if isinstance(outages.api_error(error), DiskFull):
            raise CommandError(f"The disk that holds {data} is full: make room, then start again.") from error
        raise CommandError(f"{data} cannot be written to, which the service needs: {error}") from error


def _keep_private() -> None:
    """What older versions left readable for everybody; what is written now is not."""
    data = settings.DATA_DIR
    for path in (*data.glob("db.sqlite3*"), *(data / name for name in ("datasets", "tmp", "cache", "build"))):
        with suppress(OSError):  # not there, or another user's
            path.chmod(0o700 if path.is_dir() else 0o600)


def _check_database_is_own() -> None:
    """Results lie in one server's data folder: another server of the same database would look for them in its own."""
    others = WorkerState.objects.alive().filter(worker_id__contains="-")
    if others.exclude(worker_id__startswith=identity.prefix()).exists():
        raise CommandError(
            "Another server works on the database that DATABASE_URL names, with a data folder of its own. Give this "
            "one a database of its own, or start only a worker here: manage.py worker, with the other's data folder."
        )


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
