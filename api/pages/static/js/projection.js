// Web Mercator, so that tiles lie under the marks where the configuration names a server for them.

const EARTH_KM = 40_075;
const TILE = 256;

/** @typedef {{lat: number, lon: number}} Place */

/** @type {(place: Place) => [number, number]} */
const world = ({ lat, lon }) => [(lon + 180) / 360, (1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) / 2];

// A view in which all places fit a box with room for labels: at(place) is in pixels.
/**
 * @param {Place[]} places
 * @param {number} width
 * @param {number} height
 */
export function viewOf(places, width, height) {
  const points = places.map(world);
  const [x0, y0] = [0, 1].map((i) => Math.min(...points.map((p) => p[i])));
  const [x1, y1] = [0, 1].map((i) => Math.max(...points.map((p) => p[i])));
  const scale = Math.min((width - 40) / Math.max(3e-7, x1 - x0), (height - 62) / Math.max(3e-7, y1 - y0));
  const left = (width - (x1 - x0) * scale) / 2 - x0 * scale;
  const top = 30 + (height - 62 - (y1 - y0) * scale) / 2 - y0 * scale;
  /** @returns {[number, number]} */
  const at = (/** @type {Place} */ place) => {
    const [x, y] = world(place);
    return [x * scale + left, y * scale + top];
  };
  const middle = places.reduce((sum, place) => sum + place.lat, 0) / places.length;
  return { at, scale, left, top, width, height, pixelsPerKm: scale / (EARTH_KM * Math.cos((middle * Math.PI) / 180)) };
}

// The tiles that cover a view: {href, x, y, size}; sharp at the next whole zoom above.
/**
 * @param {Pick<ReturnType<typeof viewOf>, "scale" | "left" | "top" | "width" | "height">} view
 * @param {string} template
 */
export function tilesUnder({ scale, left, top, width, height }, template) {
  const zoom = Math.min(18, Math.max(0, Math.ceil(Math.log2(scale / TILE))));
  const size = scale / 2 ** zoom;
  const tiles = [];
  for (let x = Math.floor(-left / size); x * size + left < width; x++)
    for (let y = Math.floor(-top / size); y * size + top < height; y++)
      tiles.push({ href: template.replace("{z}", `${zoom}`).replace("{x}", `${x}`).replace("{y}", `${y}`), x: x * size + left, y: y * size + top, size });
  return tiles;
}
