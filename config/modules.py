"""Lists of what can be configured are folders of files: a file there is one, and needs no line anywhere else."""

from pathlib import Path
from pkgutil import iter_modules

HOUSE = Path(__file__).parents[1]


def names_in(folder: str) -> tuple[str, ...]:
    """What the files of a folder of the house are called in a configuration, in the order of the alphabet.

    `serial_card.py` is `serial-card`. Folders, `base`, `table` and names that begin with `_` are none. Nothing is
    imported, so a list may name what stands in rooms that this one does not know.
    """
    modules = iter_modules([str(HOUSE / folder)])
    names = [module.name for module in modules if not module.ispkg and module.name not in ("base", "table")]
    return tuple(sorted(name.replace("_", "-") for name in names if not name.startswith("_")))


def module_of(name: str) -> str:
    """The module that a configured name stands for: `serial_card` for `serial-card`."""
    return name.replace("-", "_")
