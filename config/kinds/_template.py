"""Copy this file to `config/kinds/NAME.py`, change every line, and run `python -m config.schema_json`.

A kind whose value follows from one signal needs nothing else: `uses` says what its values mean. That it is out of order
it says by `fault`, which every kind has. A kind with a rule of its own has it in `gateway/kinds/NAME.py` besides (copy
gateway/kinds/_template.py).
"""

from config.kinds.base import KindSignal, KindSpec

SPEC = KindSpec(
    name="shower",
    order=15,
    words=("淋浴间", "淋浴間", "Showers"),
    icon="water",
    home_assistant_icon="mdi:shower",
    signals=(KindSignal("occupied", "flag", uses={"true": "occupied", "false": "free"}),),
    facts={"presence": "occupied"},
    main=("occupied", None),
    found_by=("presence",),
    ttl_s=300,
    one_at_a_time=True,
    groups_on_pages=True,
)
