"""The page docs/options.md: every option with what it takes, its default and its meaning.

`python -m config.schema_json` writes it, together with the JSON Schema.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from config.schema import Settings

TARGET = Path(__file__).parents[1] / "docs" / "options.md"
HEAD = """# Every option

Written by `python -m config.schema_json` from `config/schema/`; a test fails while the two differ. `[]` stands for each
item of a list, `{}` for a name of your own (a kind, a language, a path). How the file is read is in
[configuration.md](configuration.md); the same options with room to write are in `config/example.yaml`.
"""
COLUMNS = "| option | takes | default | |\n| --- | --- | --- | --- |\n"


class Option(NamedTuple):
    """`path` is dotted; `default` is None where the option must be given, else JSON."""

    path: str
    takes: str
    default: str | None
    text: str


def options() -> Iterator[Option]:
    """Every option of the settings, sections before what stands in them."""
    schema = Settings.model_json_schema(mode="validation")
    yield from _of_model(schema, "", schema["$defs"])


def options_text() -> str:
    """The page as it stands in the file."""
    sections: dict[str, list[Option]] = {}
    for option in options():
        sections.setdefault(option.path.partition(".")[0].removesuffix("[]").removesuffix("{}"), []).append(option)
    pages = [f"\n## {name}\n\n{COLUMNS}" + "".join(map(_row, rows)) for name, rows in sections.items()]
    return HEAD + "".join(pages)


def _of_model(model: dict[str, Any], prefix: str, models: dict[str, Any]) -> Iterator[Option]:
    required = model.get("required", ())
    for name, field in model["properties"].items():
        path = prefix + name
        default = None if name in required else _default(field.get("default"))
        inner, marks = _inside(field, models)
        takes = _takes(field, models)
        yield Option(path, takes, "" if takes == "section" else default, field.get("description", ""))
        if inner is not None:
            yield from _of_model(inner, f"{path}{marks}.", models)


def _default(value: Any) -> str:
    match value:
        case [str(host), int(port)]:
            return f'"{host}:{port}"'
    return json.dumps(value, ensure_ascii=False)


def _inside(field: dict[str, Any], models: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """The model that the field holds, and `[]` or `{}` for each list or mapping around it. None for plain values."""
    for form in _forms(field, models):
        if "properties" in form:
            return form, ""
        for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
            held = form.get(key)
            inner, marks = _inside(held, models) if isinstance(held, dict) else (None, "")
            if inner is not None:
                return inner, mark + marks
    return None, ""


def _forms(field: dict[str, Any], models: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The alternatives that a field may take, references followed."""
    for form in field.get("anyOf") or field.get("allOf") or (field,):
        if "$ref" in form:
            yield models[form["$ref"].rpartition("/")[2]]
        else:
            yield form


def _takes(field: dict[str, Any], models: dict[str, Any]) -> str:
    return " or ".join(dict.fromkeys(filter(None, (_form(form, models) for form in _forms(field, models)))))


def _form(form: dict[str, Any], models: dict[str, Any]) -> str:
    if "enum" in form or "const" in form:
        return ", ".join(f"`{word}`" for word in form.get("enum", (form.get("const"),)))
    if "properties" in form:
        return "section"
    if form.get("type") == "array":
        of = _takes(form.get("items") or {}, models)
        return f"list of {of}" if of else "list"
    if form.get("type") == "null":
        return ""
    bounds = [f"{word} {form[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in form]
    plain = {"object": "mapping", "string": "text", "integer": "whole number", "boolean": "true or false"}
    name = plain.get(form.get("type", ""), form.get("type", ""))
    return " ".join((name, *bounds))


def _row(option: Option) -> str:
    default = "must be given" if option.default is None else "" if option.default in ("", "null") else option.default
    shown = f"`{default}`" if default and option.default is not None else default
    text = " ".join(option.text.split()).replace("|", "\\|")
    return f"| `{option.path}` | {option.takes} | {shown} | {text} |\n"
