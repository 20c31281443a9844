"""Writes what is made of the settings and of what is found by the name of its file: `python -m config.schema_json`.

That is config/schema.json, by which editors check, docs/options.md, and the lines of kinds in config/example.yaml.
"""

import json
from pathlib import Path

from config import example, options
from config.files import read_text
from config.schema import Settings

TARGET = Path(__file__).with_name("schema.json")


def schema_text() -> str:
    """The JSON Schema of the settings as it stands in the file."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Settings.model_json_schema(mode="validation"),
    }
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(schema_text(), encoding="utf-8")
    example.TARGET.write_text(
        example.example_text(read_text(example.TARGET, "the example", most=200_000)), encoding="utf-8"
    )
    options.TARGET.write_text(options.options_text(), encoding="utf-8")
