// A document on stdin: `geojson` → how many features check-geojson reads; `shift` → [[lat, lon], …] in GCJ-02 and BD-09 by gcoord.

import { readFileSync } from "node:fs";

const given = readFileSync(0, "utf8");
if (process.argv[2] === "geojson") {
  const { check } = await import("@placemarkio/check-geojson");
  try {
    process.stdout.write(`${check(given).features.length} read\n`);
  } catch (error) {
    process.stdout.write(`refused: ${error.message} ${JSON.stringify(error.issues)}\n`);
  }
} else {
  const gcoord = (await import("gcoord")).default;
  const moved = (to) => JSON.parse(given).map(([lat, lon]) => gcoord.transform([lon, lat], gcoord.WGS84, to).reverse());
  process.stdout.write(JSON.stringify({ gcj02: moved(gcoord.GCJ02), bd09: moved(gcoord.BD09) }));
}
