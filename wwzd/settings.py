"""How the service is put together: environment → settings. docs/configuration.md describes every variable."""

import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import SimpleLazyObject
from environs import Env, EnvError
from marshmallow import validate

from embeddings import backbones

from . import __version__
from .data_folder import secret_key
from .database import database, search_address

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


try:
    DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / "data"))).expanduser().resolve()
    HOST = env.str("HOST", "0.0.0.0")  # noqa: S104  the old server listened everywhere, and containers must
    PORT = env.int("PORT", 5000, validate=validate.Range(1, 65535))
    THREADS = positive("THREADS", 16)
    NGINX = env.str("NGINX", "")
    DEBUG = env.bool("DEBUG", False)
    HTTPS = env.bool("HTTPS", False)
    ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["*"])
    CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
    LOG_FORMAT = choice("LOG_FORMAT", "line", "json")
    METRICS = env.bool("METRICS", False)
    LOG_LEVEL = choice("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR")

    BACKBONE = choice("BACKBONE", "auto", *backbones.BACKBONES)
    RESNET50_WEIGHTS = Path(given).expanduser() if (given := env.str("RESNET50_WEIGHTS", "")) else None
    RESNET50_URL = env.str("RESNET50_URL", "")
    CLIP_WEIGHTS = Path(given).expanduser() if (given := env.str("CLIP_WEIGHTS", "")) else None
    CLIP_URL = env.str("CLIP_URL", "")
    CACHE_DIR = Path(env.str("CACHE_DIR", str(DATA_DIR / "cache"))).expanduser().resolve()
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
    MAX_TOTAL_MEGAPIXELS = positive("MAX_TOTAL_MEGAPIXELS", 30_000)
    DECODE_SECONDS = positive("DECODE_SECONDS", 10)
    DECODE_MB = positive("DECODE_MB", 1024)
    WORKER_MB = positive("WORKER_MB", 6144)
    MAX_PICTURES = positive("MAX_PICTURES", 50_000)
    MAX_QUEUE = positive("MAX_QUEUE", 20)
    MAX_PARTIAL_UPLOADS = positive("MAX_PARTIAL_UPLOADS", 100)
    UPLOAD_HOURS = positive("UPLOAD_HOURS", 24)
    MAX_LAYOUTS = positive("MAX_LAYOUTS", 20)
    POINT_TILES_FROM = positive("POINT_TILES_FROM", 1_000_000)
    CACHE_MB = positive("CACHE_MB", 1024)
    KEEP_ARCHIVES = env.bool("KEEP_ARCHIVES", True)
    RETENTION_DAYS = env.int("RETENTION_DAYS", 0, validate=validate.Range(min=0))

    TOKENS = choice("TOKENS", "off", "write", "all")
    LISTING = choice("LISTING", "open", "closed")
    CORS_ORIGINS: list[str] = [origin.rstrip("/") for origin in env.list("CORS_ORIGINS", ["*"])]
    THROTTLE = rate("THROTTLE")
    THROTTLE_UPLOADS = rate("THROTTLE_UPLOADS")
    TASKS_BACKEND = choice("TASKS_BACKEND", "database", "immediate")
    DATABASE_URL = env.str("DATABASE_URL", "")
    STORAGE_URL = env.str("STORAGE_URL", "").rstrip("/")
    LOCAL_COPIES_MB = positive("LOCAL_COPIES_MB", 20_480)
    SEARCH_URL = search_address(env.str("SEARCH_URL", ""))
    # Read, or made, when it is first needed.
    SECRET_KEY = env.str("SECRET_KEY", "") or SimpleLazyObject(lambda: secret_key(DATA_DIR))
except EnvError as error:
    raise ImproperlyConfigured(f"A setting from the environment cannot be used: {error}") from error
if DATABASE_URL and not env.str("SECRET_KEY", ""):
    raise ImproperlyConfigured(
        "DATABASE_URL needs SECRET_KEY, the same on each server of the database: people who log in to one of them are "
        "known to the others by it."
    )
if STORAGE_URL and find_spec("obstore") is None:
    raise ImproperlyConfigured(
        "STORAGE_URL needs a package that is not installed: pip install -r requirements-scale.txt"
    )
if METRICS and find_spec("prometheus_client") is None:
    raise ImproperlyConfigured("METRICS needs a package that is not installed: pip install -r requirements-scale.txt")
if sentence := backbones.what_is_missing(BACKBONE):
    raise ImproperlyConfigured(sentence)

SOCKET = os.environ.get("WWZD_SOCKET", "")
"""Where gunicorn listens behind nginx; empty without it. Set by `manage.py serve`."""

INSTALLED_APPS = [
    "wwzd",  # its `ready` makes what the other apps need
    "datasets",
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
    "viewer",
]

MIDDLEWARE = [
    "wwzd.request_id.RequestIdMiddleware",
    *(["datasets.api.metrics.MetricsMiddleware"] if METRICS else []),
    "datasets.api.http.middleware.ServerTiming",
    "datasets.api.http.middleware.CorsMiddleware",
    "datasets.api.http.middleware.NoStoreMiddleware",
    "datasets.api.http.chunked_bodies.ChunkedBodies",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "datasets.api.http.access.PageLoginMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "wwzd.urls"
WSGI_APPLICATION = "wwzd.wsgi.application"
APPEND_SLASH = False

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "datasets" / room / "templates" for room in ("admin", "api")],
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

DATABASES = {"default": database(DATABASE_URL, DATA_DIR, THREADS)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "datasets", "allow_overwrite": True},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "datasets" / "admin" / "static"]
WHITENOISE_USE_FINDERS = True  # the few static files are served from where the apps keep them: nothing to collect

# Always a file, in the folder's own file system: hashed from disk and moved to its place by renaming.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "tmp"
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700

TASKS = {
    "default": {
        "BACKEND": {
            "database": "django_tasks_db.DatabaseBackend",
            "immediate": "django_tasks.backends.immediate.ImmediateBackend",
        }[TASKS_BACKEND]
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "datasets.api.http.access.OptionalTokenAuthentication",
        "datasets.api.http.access.OptionalSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["datasets.api.http.access.SettingsPermission"],
    "DEFAULT_THROTTLE_CLASSES": ["datasets.api.http.access.MethodThrottle"],
    # Whose address a client's is: behind the proxy that HTTPS=1 speaks of, the one that the proxy names last.
    "NUM_PROXIES": 1 if HTTPS else 0,
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_RENDERER_CLASSES": ["datasets.api.http.renderers.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.MultiPartParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "datasets.api.http.renderers.FixedNegotiation",
    "DEFAULT_SCHEMA_CLASS": "datasets.api.openapi.schema.CallSchema",
    "EXCEPTION_HANDLER": "datasets.api.http.exception_handler.handle",
}

SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "WWZD",
    "DESCRIPTION": "Collections of pictures as clouds: each picture is a point in space, alike ones close together.",
    "VERSION": __version__,
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "SERVE_INCLUDE_SCHEMA": True,
    "PREPROCESSING_HOOKS": ["datasets.api.openapi.schema.rename_path_parameters"],
    "POSTPROCESSING_HOOKS": ["datasets.api.openapi.schema.add_components"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "COMPONENT_SPLIT_PATCH": False,
    "SORT_OPERATIONS": False,
    "TAGS": [
        {"name": "catalogue", "description": "The big collection, by ranges of 1000 pictures."},
        {"name": "datasets", "description": "Uploads of up to 1000 pictures."},
        {"name": "pictures", "description": "Names, files, thumbnails and metadata, of both."},
        {"name": "likeness", "description": "Which pictures are like which."},
        {"name": "layouts", "description": "Other layouts of the same pictures, and how far each can be trusted."},
        {"name": "views", "description": "What people saved of a collection, to find it again or to show it."},
        {"name": "export", "description": "Clouds of pictures as files for other programs."},
        {"name": "service", "description": "The server itself."},
    ],
}

LANGUAGE_CODE = "en-gb"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["wwzd.formats"]
TIME_ZONE = "UTC"

SECURE_SSL_REDIRECT = HTTPS
SESSION_ENGINE = "wwzd.sessions"
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
    "formatters": {"line": {"()": "wwzd.logs.LineFormatter"}, "json": {"()": "wwzd.logs.JSONFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # The queue's own words, two lines an upload, say less than our one.
    "loggers": {
        "django_tasks_db": {"level": "WARNING"},
        "django_tasks": {"level": "WARNING"},
        # Which of its builds for the CPU it has found.
        "faiss": {"level": "WARNING"},
        # The client is told. One line a request, which anyone may send, would be enough to fill a disk.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
