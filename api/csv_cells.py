"""What stands in a cell of the CSV that we give out, in which no spreadsheet finds a formula."""

from msgspec.json import encode

MARK = "\ufeff"
"""Before the first cell: without it a Chinese Excel reads UTF-8 as GBK."""

# What begins a formula in one spreadsheet or another, the full-width forms of Chinese keyboards among them (OWASP, "CSV
# Injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(value: object) -> object:
    """Numbers stay numbers, objects become JSON, True is `true`; a text that begins a formula gets a quote."""
    if isinstance(value, bool):
        return str(value).lower()
    text = encode(value).decode() if isinstance(value, dict | list) else value
    return f"'{text}" if isinstance(text, str) and text.startswith(FORMULA) else text
