"""Who may do what: nobody is asked for anything, unless the settings say otherwise.

A client shows a token (`Authorization: Bearer …`, or `Token …`), which the admin gives out; in a browser the admin's
own session is as good. Where no setting asks for it, neither is looked at: a session costs queries, and would make
every answer one that caches must not share.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.authentication import SessionAuthentication, TokenAuthentication
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

if TYPE_CHECKING:  # that module reads the settings, which name this one
    from rest_framework.views import APIView


def asks_for_token(method: str | None) -> bool:
    """Whether a request of this method needs a token: `TOKENS` is off, write or all."""
    return bool(settings.TOKENS == "all" or (settings.TOKENS == "write" and method not in SAFE_METHODS))


def _asks_at_all() -> bool:
    return settings.TOKENS != "off" or settings.LISTING != "open"


class OptionalTokenAuthentication(TokenAuthentication):
    """DRF's, under either of the two names that clients know."""

    def authenticate(self, request: Request) -> Any:
        if not _asks_at_all():
            return None
        scheme, _, _ = request.headers.get("Authorization", "").partition(" ")
        self.keyword = "Bearer" if scheme.lower() == "bearer" else "Token"
        return super().authenticate(request)

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="WWZD"'


class OptionalSessionAuthentication(SessionAuthentication):
    """The admin's session, with its protection against forged requests."""

    def authenticate(self, request: Request) -> Any:
        return super().authenticate(request) if _asks_at_all() else None


class SettingsPermission(BasePermission):
    def has_permission(self, request: Request, view: "APIView") -> bool:
        return not asks_for_token(request.method) or _is_known(request, "This server asks for a token")


class ListPermission(SettingsPermission):
    """Ids cannot be guessed: whoever has one has been given it. A list gives them all."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        closed = settings.LISTING == "closed"
        return super().has_permission(request, view) and (
            not closed or _is_known(request, "The list of datasets is closed to those without a token")
        )


def _is_known(request: Request, why: str) -> bool:
    if request.user is None or not request.user.is_authenticated:
        raise NotAuthenticated(f"{why}: send “Authorization: Bearer …”. The administrator gives tokens out.")
    return True


class PageLoginMiddleware:
    """The same for the pages of people, who log in at the admin's page. Beside it nothing of the admin is touched."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *arguments: Any) -> HttpResponseBase | None:
        is_call = hasattr(view, "cls")  # one of DRF's, which looks after itself
        if is_call or request.path.startswith("/admin") or not asks_for_token(request.method):
            return None
        return None if request.user.is_authenticated else redirect_to_login(request.path, "admin:login")


class MethodThrottle(SimpleRateThrottle):
    """So many requests of a client, which is an address, in a time: `THROTTLE` for all, `THROTTLE_UPLOADS` for POST.

    Counted in memory, which the service's one web process has alone.
    """

    cache_format = "throttle_%(scope)s_%(ident)s"

    def __init__(self) -> None:
        """The rate is looked up with the request, whose method decides."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        for scope, rate in _rates(request.method):
            self.scope, self.rate = scope, rate
            self.num_requests, self.duration = self.parse_rate(rate)
            if not super().allow_request(request, view):
                return False
        return True

    def get_cache_key(self, request: Request, view: "APIView") -> str:
        return self.cache_format % {"scope": self.scope, "ident": quote(self.get_ident(request))}


def _rates(method: str | None) -> Sequence[tuple[str, str]]:
    rates = [("all", settings.THROTTLE), ("uploads", settings.THROTTLE_UPLOADS if method == "POST" else "")]
    return [(scope, rate) for scope, rate in rates if rate]
