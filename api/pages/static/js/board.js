// The board of a station: doorway, rows and tiles, each painted from the resources that are its own.

import { heroOf } from "./hero.js";
import { rowOf } from "./row.js";
import { tileOf } from "./tile.js";
import { entranceOf, groupsOf, thingsOf } from "./truth.js";

// voices: what each part is made with; hero and row are asked with the groups that there are. Without a hero every group has a row,
// and the door a tile, because it has no line of its own in the head.
export function boardOf(picture, { hero, row, tile }) {
  const groups = groupsOf(picture);
  const parts = [];
  const add = (part, resources) => {
    parts.push({ part, ids: new Set(resources.map((r) => r.id)) });
    return part;
  };
  const first = hero && groups.length ? add(heroOf(groups[0], hero(groups)), groups[0].resources) : null;
  const rows = groups.slice(first ? 1 : 0).map((group) => add(rowOf(group, row(groups)), group.resources));
  const things = thingsOf(picture).filter((r) => !hero || r !== entranceOf(picture));
  const tiles = things.map((thing) => add(tileOf(thing, tile), [thing]));
  const members = (resources, ids) => resources.filter((r) => ids.has(r.id));
  return {
    hero: first,
    rows,
    tiles,
    paint(now, newest, contact) {
      for (const { part, ids } of parts) part.paint(now, newest, members(newest.resources, ids), contact);
    },
  };
}
