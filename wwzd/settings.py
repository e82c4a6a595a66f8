"""How the service is put together: environment → settings. Every variable is described in the README's table."""

import os
import re
import secrets
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError
from marshmallow import validate

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()
env.read_env(str(BASE_DIR / ".env"), recurse=False)


def positive(name: str, default: int) -> int:
    return env.int(name, default, validate=validate.Range(min=1))


def rate(name: str) -> str:
    """Requests in a time, such as 60/minute; empty for any number of them."""
    given = env.str(name, "").replace(" ", "")
    if given and not re.fullmatch(r"[1-9][0-9]{0,8}/(s|second|m|minute|h|hour|d|day)", given):
        raise EnvError(f'Environment variable "{name}" invalid: "{given}" is not of the form 60/minute, 10/hour')
    return given


def choice(name: str, *known: str) -> str:
    """One of the known words; the first one is the default."""
    return env.str(name, known[0], validate=validate.OneOf(known))


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"DATA_DIR: {folder} cannot be made: {error}") from error
    return folder


def _secret_key(data: Path) -> str:
    """From the environment, else made once and kept in the data folder, readable by its owner only."""
    if given := env.str("SECRET_KEY", ""):
        return given
    path = data / "secret_key"
    if not path.exists():
        try:
            path.touch(mode=0o600, exist_ok=False)
            path.write_text(secrets.token_urlsafe(50))
        except FileExistsError:  # another process was faster
            pass
        except OSError as error:
            raise ImproperlyConfigured(f"DATA_DIR: {data} cannot be written to: {error}") from error
    return path.read_text()


try:
    DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / "data"))).expanduser().resolve()
    HOST = env.str("HOST", "0.0.0.0")  # noqa: S104  the old server listened everywhere, and containers must
    PORT = env.int("PORT", 5000, validate=validate.Range(1, 65535))
    THREADS = positive("THREADS", 16)
    DEBUG = env.bool("DEBUG", False)
    HTTPS = env.bool("HTTPS", False)
    ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["*"])
    CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
    LOG_LEVEL = choice("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR")

    BACKBONE = choice("BACKBONE", "auto", "resnet50", "efficientnet_lite0")
    RESNET50_WEIGHTS = Path(given).expanduser() if (given := env.str("RESNET50_WEIGHTS", "")) else None
    RESNET50_URL = env.str("RESNET50_URL", "")
    CACHE_DIR = Path(env.str("CACHE_DIR", str(DATA_DIR / "cache"))).expanduser().resolve()
    # Read by numba itself: where UMAP's compiled kernels are kept.
    os.environ.setdefault("NUMBA_CACHE_DIR", str(CACHE_DIR / "kernels"))
    DEVICE = choice("DEVICE", "auto", "cpu", "cuda")
    PRECISION = choice("PRECISION", "auto", "fp32")
    SPACE = choice("SPACE", "auto", "catalogue", "own")
    DEMO = env.bool("DEMO", True)

    MAX_UPLOAD_MB = positive("MAX_UPLOAD_MB", 2048)
    MAX_MEMBERS = positive("MAX_MEMBERS", 100_000)
    MAX_PICTURE_MB = positive("MAX_PICTURE_MB", 256)
    MAX_UNPACKED_MB = positive("MAX_UNPACKED_MB", 8192)
    MAX_RATIO = positive("MAX_RATIO", 200)
    MAX_MEGAPIXELS = positive("MAX_MEGAPIXELS", 100)
    MAX_QUEUE = positive("MAX_QUEUE", 20)
    CACHE_MB = positive("CACHE_MB", 1024)
    KEEP_ARCHIVES = env.bool("KEEP_ARCHIVES", True)
    RETENTION_DAYS = env.int("RETENTION_DAYS", 0, validate=validate.Range(min=0))

    TOKENS = choice("TOKENS", "off", "write", "all")
    LISTING = choice("LISTING", "open", "closed")
    CORS_ORIGINS: list[str] = [origin.rstrip("/") for origin in env.list("CORS_ORIGINS", ["*"])]
    THROTTLE = rate("THROTTLE")
    THROTTLE_UPLOADS = rate("THROTTLE_UPLOADS")
    TASKS_BACKEND = choice("TASKS_BACKEND", "database", "immediate")
    SECRET_KEY = _secret_key(_made(DATA_DIR))
except EnvError as error:
    raise ImproperlyConfigured(f"A setting from the environment cannot be used: {error}") from error

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "rest_framework.authtoken",
    "django_tasks_db",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "datasets",
    "viewer",
]

MIDDLEWARE = [
    "datasets.http.middleware.ServerTiming",
    "datasets.http.middleware.AnyOrigin",
    "datasets.http.middleware.OnlyNow",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "datasets.http.access.PagesAfterLogin",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "wwzd.urls"
WSGI_APPLICATION = "wwzd.wsgi.application"
APPEND_SLASH = False

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "db.sqlite3",
        # One connection a thread, for good: opening one takes three times as long as a small call.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # A transaction that will write says so at once: two of them wait for each other instead of failing.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
        # A file, not memory: threads and processes share it in tests as they do in service.
        "TEST": {"NAME": DATA_DIR / "test.sqlite3"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "datasets", "allow_overwrite": True},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # the few static files are served from where the apps keep them: nothing to collect

# Always a file, in the folder's own file system: hashed from disk and moved to its place by renaming.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
FILE_UPLOAD_TEMP_DIR = _made(DATA_DIR / "tmp")
FILE_UPLOAD_PERMISSIONS = 0o644

TASKS = {
    "default": {
        "BACKEND": {
            "database": "django_tasks_db.DatabaseBackend",
            "immediate": "django_tasks.backends.immediate.ImmediateBackend",
        }[TASKS_BACKEND]
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["datasets.http.access.ByToken", "datasets.http.access.BySession"],
    "DEFAULT_PERMISSION_CLASSES": ["datasets.http.access.AsSettingsSay"],
    "DEFAULT_THROTTLE_CLASSES": ["datasets.http.access.ByRate"],
    # Whose address a client's is: behind the proxy that HTTPS=1 speaks of, the one that the proxy names last.
    "NUM_PROXIES": 1 if HTTPS else 0,
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_RENDERER_CLASSES": ["datasets.http.renderers.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.MultiPartParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "datasets.http.renderers.OneFormat",
    "DEFAULT_SCHEMA_CLASS": "datasets.described.document.Described",
    "EXCEPTION_HANDLER": "datasets.http.error_answers.handle",
}

SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "WWZD",
    "DESCRIPTION": "Collections of pictures as clouds: each picture is a point in space, alike ones close together.",
    "VERSION": "1",
    "LICENSE": None,
    "SERVE_INCLUDE_SCHEMA": True,
    "POSTPROCESSING_HOOKS": ["datasets.described.document.add_components"],
    "SORT_OPERATIONS": False,
    "TAGS": [
        {"name": "catalogue", "description": "The big collection, by ranges of 1000 pictures."},
        {"name": "datasets", "description": "Uploads of up to 1000 pictures."},
        {"name": "pictures", "description": "Names, files, thumbnails and metadata, of both."},
        {"name": "likeness", "description": "Which pictures are like which."},
        {"name": "service", "description": "The server itself."},
    ],
}

LANGUAGE_CODE = "en-gb"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REDIRECT_EXEMPT = ["^health$"]  # health checkers ask the container itself, without the proxy
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
# HSTS for subdomains, or in browsers' preload lists, is not for one service of a domain to decide.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# Pictures and vectors are fetched from other origins; that is what they are for.
SECURE_CROSS_ORIGIN_OPENER_POLICY = None

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "wwzd.logs.LineFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # The queue's own words, two lines an upload, say less than our one.
    "loggers": {"django_tasks_db": {"level": "WARNING"}, "django_tasks": {"level": "WARNING"}},
}
