"""Errors: their kinds, codes and statuses."""

from datasets.api.http.exception_handler import STATUSES, kind_of
from datasets.errors import KINDS, ApiError


def test_every_class_of_errors_has_a_status_and_a_code() -> None:
    classes: list[type[ApiError]] = [ApiError, *ApiError.__subclasses__()]
    assert {error.kind for error in classes} <= set(STATUSES) <= set(KINDS)
    assert {error.code or error.kind for error in classes} <= set(KINDS)


def test_an_error_of_the_framework_has_a_kind_by_its_status() -> None:
    assert [kind_of(status) for status in (400, 405, 415, 429, 500, 503)] == [
        "bad-request",
        "method-not-allowed",
        "unsupported-media-type",
        "throttled",
        "server-error",
        "unavailable",
    ]
    assert (kind_of(418), kind_of(599)) == ("bad-request", "server-error")


def test_a_code_may_be_more_specific_than_its_kind() -> None:
    error = ApiError("There is no field x.", kind="not-found", code="field-unknown", name="x")
    assert (error.kind, error.code, error.params) == ("not-found", "field-unknown", {"name": "x"})
