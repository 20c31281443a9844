"""The OpenAPI document: names that last, errors as they are, and an example for each body that its own schema takes."""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from api.openapi import EXAMPLES, operation_id
from tests.api.conftest import House

OTHER_BODIES = {"put_stations_station_checks_id_photo", "post_login"}
"""A picture, and a form."""


@pytest.fixture
def document(house: House) -> dict[str, Any]:
    described = house.get("/openapi.json").json()
    assert isinstance(described, dict)
    return described


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in document["paths"].values():
        yield from item.values()


def test_a_name_follows_from_method_and_path_alone(document: dict[str, Any]) -> None:
    assert operation_id("get", "/api/v1/stations/{station}") == "get_stations_station"
    assert operation_id("post", "/ocpi/2.2.1/credentials") == "post_ocpi_2_2_1_credentials"
    names = [operation["operationId"] for operation in operations(document)]
    assert len(set(names)) == len(names), "each its own"
    for path, item in document["paths"].items():
        assert [operation["operationId"] for operation in item.values()] == [
            operation_id(method, path) for method in item
        ]


def test_every_json_body_has_an_example_that_its_schema_takes(document: dict[str, Any]) -> None:
    bodies = {
        operation["operationId"]: operation["requestBody"]["content"]
        for operation in operations(document)
        if "requestBody" in operation
    }
    assert set(bodies) - OTHER_BODIES == set(EXAMPLES)
    for name, example in EXAMPLES.items():
        told = bodies[name]["application/json"]
        assert told["example"] == example
        jsonschema.validate(example, told["schema"] | {"components": document["components"]})


def test_every_error_is_a_problem_document(document: dict[str, Any]) -> None:
    for operation in operations(document):
        refused = {code: response for code, response in operation["responses"].items() if code.startswith("4")}
        for code, answer in refused.items():
            assert list(answer["content"]) == ["application/problem+json"], (operation["operationId"], code)
