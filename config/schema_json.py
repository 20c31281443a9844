"""Writes config/schema.json, by which editors check, and docs/options.md: `python -m config.schema_json`."""

import json
from pathlib import Path

from config import options
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
    options.TARGET.write_text(options.options_text(), encoding="utf-8")
