"""Large files that come in parts, by the tus protocol 1.0.0: a cut connection goes on where it was."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets.api.http import responses, tus
from datasets.api.http.chunked_bodies import PART
from datasets.api.openapi import BINARY, EXAMPLE_ID, Body, Parameter, Reply, errors
from datasets.api.serializers import represent
from datasets.api.serializers.upload import UploadSerializer, upload_facts
from datasets.errors import ApiError
from datasets.uploads import partial_completion, partial_upload, worker_readiness
from datasets.uploads.partial_upload import PartialUpload

from .base import drain
from .limit import LIMIT

_BASE64 = "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{3}=)?"
_BYTES: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 2**53 - 1}
_VERSION = Parameter(
    "Tus-Resumable",
    {"type": "string", "enum": [tus.VERSION]},
    "The protocol's version.",
    "header",
    required=True,
    example=tus.VERSION,
)
_LENGTH = Parameter(
    "Upload-Length", _BYTES | {"minimum": 1, "maximum": 2**31}, "Bytes of the ZIP.", "header", required=True, example=1
)
_OFFSET = Parameter(
    "Upload-Offset", _BYTES, "Where the part begins: as many bytes as the server has.", "header", required=True
)
_METADATA = Parameter(
    "Upload-Metadata",
    {"type": "string", "pattern": f"^[a-z]+ {_BASE64}(,[a-z]+ {_BASE64})*$"},
    "Pairs of a name and a value in Base64, separated by commas: `filename`, and `limit` with what the parameter "
    "`limit` of `POST /dataset` takes. Others are kept and not used.",
    "header",
    example="filename cGhvdG9zLnppcA==,limit YWxs",
)
_UNKNOWN = "There is no upload of this id."
_EXPIRED = "This upload was not finished in time: begin it anew."
_EXAMPLE = {
    "id": EXAMPLE_ID,
    "name": "photos.zip",
    "state": "receiving",
    "offset": 8388608,
    "length": 20971520,
    "expires_at": "2026-11-28T02:46:07.871000+00:00",
    "dataset": None,
    "error": None,
    "problem": None,
    "links": {"self": f"/uploads/{EXAMPLE_ID}"},
}
_SENT = ["Tus-Resumable", "Upload-Offset", "Upload-Expires"]


class _TusView(APIView):
    """A call of the protocol: its version is asked for, and told."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in {"HEAD", "POST", "PATCH", "DELETE"} and hasattr(self, request.method.lower()):
            tus.check_version(request)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        # nginx answers a client that still sends. Waiting for what is thrown away would keep a thread.
        if response.status_code >= 400 and request.method in {"POST", "PATCH"} and not settings.SOCKET:
            drain(request)
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Tus-Resumable"] = tus.VERSION
        if response.status_code == 412:
            response["Tus-Version"] = tus.VERSION
        return response

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]
        return Response(status=204, headers=tus.capabilities())


class Uploads(_TusView):
    """Begin an upload that comes in parts.

    By the tus protocol 1.0.0, so that its clients go on by themselves after a cut connection or a restart. `Location`
    is where the parts are sent. A first part may come along. OPTIONS tells the extensions and the largest size.
    """

    @extend_schema(
        operation_id="begin_upload",
        tags=["datasets"],
        parameters=[_VERSION, _LENGTH, _METADATA],
        request=None,
        responses={
            201: Reply("It may begin.", headers=["Location", *_SENT]),
            400: "Send the header “Upload-Length”, a whole number of bytes, not “”.",
            **errors(412, 413, 415, 503, 507),
            429: "100 uploads are unfinished, and no more may be. Send it again later.",
        },
    )
    def post(self, request: Request) -> Response:
        length = tus.number(request, "Upload-Length")
        if not length:
            raise ApiError("An archive has at least one byte.", code="parameter-invalid", name="Upload-Length")
        about = tus.metadata(request)
        limit = LIMIT.parse(about.get("limit"))
        read, sent = tus.body(request)
        if sent != 0:
            tus.check_type(request)
        worker_readiness.refuse_until_prepared()
        upload = partial_upload.create(
            length=length,
            name=tus.archive_name(about.get("filename", "")),
            limit=limit,
            metadata=request.headers.get("Upload-Metadata", ""),
        )
        if sent != 0:
            try:
                upload, _ = _received(upload.id, 0, read, sent)
            except Exception:  # the client does not know where it lies
                partial_upload.delete(upload)
                raise
        return Response(status=201, headers=_headers(upload) | {"Location": reverse("upload", args=[upload.id])})


class OneUpload(_TusView):
    """An upload that comes in parts."""

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """For clients that can only POST (`X-HTTP-Method-Override`)."""
        override = request.headers.get("X-HTTP-Method-Override", "").upper()
        if request.method == "POST" and override in {"PATCH", "DELETE", "HEAD"}:
            request.method = override
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        operation_id="get_upload",
        tags=["datasets"],
        responses={
            200: Reply("The upload.", UploadSerializer, _EXAMPLE, ["Cache-Control", "Tus-Resumable"]),
            404: _UNKNOWN,
            410: _EXPIRED,
        },
    )
    def get(self, request: Request, upload_id: str) -> Response:
        """How far an upload that comes in parts is.

        When the last byte has come, it says which dataset it is, or why it was refused. HEAD tells the offset alone, in
        headers.
        """
        upload, error = partial_completion.settle(partial_upload.find(upload_id))
        facts = represent(UploadSerializer, upload_facts(upload, error))
        return Response(facts, headers={"Cache-Control": responses.NOT_KEPT})

    def head(self, request: Request, upload_id: str) -> Response:
        upload, _ = partial_completion.settle(partial_upload.find(upload_id))
        headers = _headers(upload) | {"Upload-Length": str(upload.length), "Cache-Control": "no-store"}
        if upload.metadata:
            headers["Upload-Metadata"] = upload.metadata
        return Response(status=200, headers=headers)

    @extend_schema(
        operation_id="continue_upload",
        tags=["datasets"],
        parameters=[_VERSION, _OFFSET],
        request=Body(PART, BINARY, "The bytes from the offset on, as many as one likes to send at once."),
        responses={
            204: Reply("They are stored. With the last of them `Location` is the dataset's.", headers=_SENT),
            404: _UNKNOWN,
            409: "The server has 8388608 bytes of it: go on from there.",
            410: _EXPIRED,
            **errors(400, 412, 413, 415, 423, 429, 500, 503, 507),
        },
    )
    def patch(self, request: Request, upload_id: str) -> Response:
        """Go on with an upload.

        What arrives is kept, whether or not the connection lasts. The answer to the last part is what `POST /dataset`
        with `Prefer: respond-async` would say of the whole: 204 and the dataset's address, or why it is refused.
        """
        tus.check_type(request)
        offset = tus.number(request, "Upload-Offset")
        upload, size = _received(upload_id, offset, *tus.body(request))
        headers = _headers(upload, size)
        if upload.dataset:
            headers["Location"] = reverse("dataset", args=[upload.dataset])
        return Response(status=204, headers=headers)

    @extend_schema(
        operation_id="delete_upload",
        tags=["datasets"],
        parameters=[_VERSION],
        responses={
            204: Reply("It is gone.", headers=["Tus-Resumable"]),
            404: _UNKNOWN,
            410: _EXPIRED,
            **errors(412, 423),
        },
    )
    def delete(self, request: Request, upload_id: str) -> Response:
        """Give an unfinished upload up.

        A dataset that was made of it stays.
        """
        upload = partial_upload.find(upload_id)
        if upload.is_complete:  # it may be about to become a dataset
            with partial_upload.locked(upload_id):
                partial_upload.delete(upload)
        else:
            partial_upload.delete(upload)
        return Response(status=204)


def _received(upload_id: str, offset: int, read: Any, sent: int | None) -> tuple[PartialUpload, int]:
    """Append a part, and accept what is complete with it. Returns the upload, and how many bytes there are."""
    with partial_upload.locked(upload_id) as upload, partial_upload.receiving():
        size = upload.append(offset, read, sent)
        return (partial_completion.accept(upload) if size == upload.length else upload), size


def _headers(upload: PartialUpload, size: int | None = None) -> dict[str, str]:
    return {
        "Upload-Offset": str(upload.offset if size is None else size),
        "Upload-Expires": tus.expires(upload.expires_at),
    }
