"""The OpenAPI document: valid, complete, and true of the running service, as far as generated requests can tell."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from django.core.management import call_command
from django.test import Client

from tests.support.paths import ROOT
from tests.support.pictures import photograph, zipped
from tests.support.service import Service

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """With a catalogue of a few dozen pictures, really built: they have names, files, neighbours, copies, metadata."""
    folder = tmp_path_factory.mktemp("schema")
    files = {f"{k:02d}.jpg": photograph(9000 + k) for k in range(36)}
    (folder / "collection.zip").write_bytes(zipped(files | {"copy.jpg": files["07.jpg"]}))
    rows = "".join(f"{name},{k % 5},{'wild' if k % 3 else 'garden'}\n" for k, name in enumerate(files))
    (folder / "about.csv").write_text(f"file,age,kind\n{rows}")
    running = Service(folder / "data")
    running.manage("migrate")
    running.manage("build_catalogue", str(folder / "collection.zip"), "--metadata", str(folder / "about.csv"))
    running.settings |= {"MAX_QUEUE": "1000", "MAX_PARTIAL_UPLOADS": "1000"}
    running.start()
    yield running
    running.stop()


def uploaded(service: Service, seed: int) -> str:
    """Five pictures with metadata of every type, a copy of one of them, and a file that is no picture."""
    files = {f"{k}.jpg": photograph(100 * seed + k) for k in range(5)}
    files |= {"copy.jpg": files["0.jpg"], "bad.jpg": b"not a picture"}
    rows = "0.jpg,3,wild,true,1.5\n1.jpg,,garden,false,-2\n2.jpg,9007199254740993,wild,,1e300\n"
    files["metadata.csv"] = f"file,age,kind,fresh,score\n{rows}".encode()
    return service.upload(zipped(files)).body.decode()


def run_schemathesis(service: Service, config: Path, *options: str) -> None:
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", service.url("/schema")]
    # A part of a compressed answer is bytes that its HTTP library cannot unpack.
    plain = ("-H", "Accept-Encoding: identity")
    options = ("--checks", "all", "--seed", "20210607", "--no-color", *plain, *options)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONWARNINGS"}
    environment["SCHEMATHESIS_HOOKS"] = str(ROOT / "tests" / "api" / "schemathesis_hooks.py")
    # In a folder of its own: it keeps what it has found beside where it runs.
    done = subprocess.run(
        [*command, *options], cwd=config.parent, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


def document(client: Client) -> Any:
    return json.loads(client.get("/schema").getvalue())


def test_the_document_is_valid_and_no_call_is_missing() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", os.devnull)


def test_it_is_served_as_json_and_as_yaml(client: Client) -> None:
    response = client.get("/schema")
    assert response["Content-Type"] == "application/json"
    assert json.loads(response.getvalue())["openapi"].startswith("3.1")
    assert client.get("/schema", headers={"If-None-Match": response["ETag"]}).status_code == 304
    response = client.get("/schema?format=yaml")
    assert response["Content-Type"] == "application/yaml"
    assert response.getvalue().startswith(b"openapi: 3.1")
    assert client.get("/schema?format=xml").status_code == 400


def test_names_of_calls_are_their_own(client: Client) -> None:
    names = [call["operationId"] for path in document(client)["paths"].values() for call in path.values()]
    assert len(names) == len(set(names)) >= 30


def test_every_error_of_the_document_has_the_shape_that_errors_have(client: Client) -> None:
    for path in document(client)["paths"].values():
        for call in path.values():
            for status, reply in call["responses"].items():
                if int(status) >= 400:
                    (content,) = reply["content"].values()
                    assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
                    assert content["example"]["status"] == int(status)


def test_the_page_needs_no_other_machine(service: Service) -> None:
    page = service.get("/docs").body.decode()
    assert "http://" not in page
    assert "https://" not in page
    for asset in ("swagger-ui.css", "swagger-ui-bundle.js"):
        path = f"/static/drf_spectacular_sidecar/swagger-ui-dist/{asset}"
        assert path in page
        assert service.get(path).status == 200


def test_schemathesis_all_calls(service: Service, tmp_path: Path) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text((ROOT / "tests" / "api" / "schemathesis.toml").read_text())
    for seed in range(1, 4):
        uploaded(service, seed)
    run_schemathesis(service, config, "--max-examples", "15")


def test_schemathesis_ready_upload(service: Service, tmp_path: Path) -> None:
    dataset_id = uploaded(service, 9)
    config = tmp_path / "schemathesis.toml"
    config.write_text(
        (ROOT / "tests" / "api" / "schemathesis.toml").read_text()
        + "\n[[operations]]\ninclude-operation-id-regex = '^get_dataset'\n"
        + f"parameters = {{ 'path.identity' = '{dataset_id}', 'path.index' = '1' }}\n"
    )
    options = ("--phases", "examples,coverage,fuzzing", "--include-operation-id-regex", "^get_dataset")
    run_schemathesis(service, config, "--max-examples", "25", *options)


def test_schemathesis_catalogue_pictures(service: Service, tmp_path: Path) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(
        (ROOT / "tests" / "api" / "schemathesis.toml").read_text()
        + "\n[[operations]]\ninclude-operation-id-regex = '^get_catalogue'\n"
        + "parameters = { 'path.index' = '7', 'path.name' = 'kind' }\n"
    )
    options = ("--phases", "examples,coverage,fuzzing", "--include-operation-id-regex", "^get_catalogue")
    run_schemathesis(service, config, "--max-examples", "15", *options)


@pytest.mark.parametrize(
    "path",
    [
        "/catalogue/images",
        "/catalogue/images/rows",
        "/catalogue/images/fields",
        "/catalogue/images/fields/kind",
        "/catalogue/images/7/neighbors",
        "/catalogue/duplicates",
        "/catalogue/outliers",
    ],
)
def test_responses_of_a_built_catalogue_match_the_schema(service: Service, path: str) -> None:
    """Not one of them may answer with an error, which would be as described too."""
    described = schemathesis.openapi.from_url(service.url("/schema"))
    with httpx.Client(base_url=service.url(""), timeout=60) as client:
        answer = client.get(path)
    assert answer.status_code == 200
    template = path.replace("/7/", "/{index}/").replace("/kind", "/{name}")
    described[template]["GET"].validate_response(answer)


def test_responses_of_a_search_by_picture_match_the_schema(service: Service) -> None:
    """Generated requests send files that are no pictures."""
    dataset_id = uploaded(service, 8)
    described = schemathesis.openapi.from_url(service.url("/schema"))
    file = {"file": ("me.jpg", photograph(801))}
    with httpx.Client(base_url=service.url(""), timeout=60) as client:
        request = client.build_request("POST", f"/search?in={dataset_id}&k=3", files=file)
        request.read()  # the check looks at what was sent
        answer = client.send(request)
    assert answer.status_code == 200
    described["/search"]["POST"].validate_response(answer)
    assert (answer.json()["neighbors"][0]["name"], len(answer.json()["neighbors"])) == ("1.jpg", 3)


def test_a_client_generated_from_the_document_works(service: Service, tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_bytes(service.get("/schema").body)
    # The generator knows binary bodies of one type only.
    kinds = (
        *("image/jpeg", "application/zip", "model/gltf-binary", "application/vnd.apache.parquet"),
        *("application/offset+octet-stream", "application/vnd.wwzd.points"),
    )
    overrides = "content_type_overrides: {" + ", ".join(f"{kind}: application/octet-stream" for kind in kinds) + "}"
    (tmp_path / "config.yaml").write_text(f"{overrides}\nliteral_enums: true\n")
    files = {f"{k}.jpg": photograph(7000 + k) for k in range(5)} | {"bad.jpg": b"not a picture"}
    files["metadata.csv"] = b"file,kind\n0.jpg,wild\n1.jpg,garden\n4.jpg,wild\n"
    (tmp_path / "photos.zip").write_bytes(zipped(files))
    generate = [sys.executable, "-m", "openapi_python_client", "generate", "--path", "schema.json", "--meta", "none"]
    generate += ["--config", "config.yaml", "--output-path", "wwzd_client", "--fail-on-warning"]
    use = [sys.executable, str(ROOT / "tests" / "support" / "generated_client.py"), service.url(""), "photos.zip"]
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # of ruff, which tidies what was generated
        "PYTHONPATH": str(tmp_path),
    }
    for command in (generate, use):
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
