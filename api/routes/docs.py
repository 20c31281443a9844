"""`/docs`: the OpenAPI document as one plain page, without script and without any outside server."""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from fastapi import Request, Response

from api.context import ApiContext
from api.late_routes import Routes

STYLE = Path(__file__).with_name("docs.css")


def router(_context: ApiContext) -> Routes:
    routes = Routes(include_in_schema=False)

    @routes.get("/docs")
    async def docs(request: Request) -> Response:
        return Response(page(request.app.openapi()), media_type="text/html")

    @routes.get("/docs.css")
    async def style() -> Response:
        return Response(STYLE.read_bytes(), media_type="text/css", headers={"cache-control": "public, max-age=3600"})

    return routes


def page(openapi: dict[str, Any]) -> str:
    """The whole page, in the order of the OpenAPI document."""
    title = escape(f"{openapi['info']['title']} {openapi['info']['version']}")
    body = "".join(
        _operation(method, path, operation)
        for path, item in openapi["paths"].items()
        for method, operation in item.items()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/docs.css"></head>'
        f'<body><h1>{title}</h1><p>For machines: <a href="/openapi.json">openapi.json</a></p>{body}</body></html>'
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    role = operation.get("x-role")
    needs = f"<p>Needs a staff key with the role <code>{escape(role)}</code>.</p>" if role else ""
    return (
        f"<h2><b>{method.upper()}</b> <code>{escape(path)}</code></h2><p>{escape(operation.get('summary', ''))}</p>"
        f"<p>{escape(operation.get('description', ''))}</p>{needs}"
        + _table(("parameter", "in", ""), _parameters(operation))
        + _table(("answer", "", ""), _answers(operation))
    )


def _parameters(operation: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for parameter in operation.get("parameters", ()):
        text = parameter.get("description", "") + (" (required)" if parameter.get("required") else "")
        yield parameter["name"], parameter["in"], text


def _answers(operation: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for status, answer in operation["responses"].items():
        yield status, ", ".join(answer.get("content", ())), answer.get("description", "")


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, str, str]]) -> str:
    cells = [f"<tr><td><code>{escape(a)}</code><td>{escape(b)}<td>{escape(c)}" for a, b, c in rows]
    return f"<table><tr>{''.join(f'<th>{name}' for name in head)}{''.join(cells)}</table>" if cells else ""
