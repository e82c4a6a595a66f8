"""What gunicorn serves."""

import os
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.wsgi import get_wsgi_application

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wwzd.settings")
_django = get_wsgi_application()


def _behind_nginx(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
    """A client's address as nginx saw it. Nobody else can connect to the socket that gunicorn listens on."""
    environ["REMOTE_ADDR"] = environ.pop("HTTP_X_REAL_IP", "")
    return _django(environ, start_response)


application = _behind_nginx if settings.SOCKET else _django
