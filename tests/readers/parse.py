"""Run with the readers' own Python: `parse.py geojson|ocpi|schema [SCHEMA]`, a document on stdin → errors on stdout.

Each reads it as its users would: geojson-pydantic, the models of py_ocpi (OCPI 2.2.1), jsonschema.
"""

import json
import sys
from pathlib import Path

given = json.load(sys.stdin)
kind = sys.argv[1]
try:
    if kind == "geojson":
        from geojson_pydantic import FeatureCollection

        read = FeatureCollection(**given)
        sys.stdout.write(f"{len(read.features)} read\n")
    elif kind == "ocpi":
        from py_ocpi.modules.locations.v_2_2_1.schemas import EVSE, Location

        evses = [EVSE(**evse) for location in given for evse in location["evses"]]
        sys.stdout.write(f"{len([Location(**location) for location in given])} read, {len(evses)} points\n")
    else:
        import jsonschema

        jsonschema.validate(given, json.loads(Path(sys.argv[2]).read_text("utf-8")))
        sys.stdout.write("1 read\n")
except Exception as error:
    sys.stdout.write(f"refused: {error}\n")
