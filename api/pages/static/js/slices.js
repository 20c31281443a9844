// Long work in short pieces, so that a page answers the hand in between.

const PIECE_MS = 8;

const pause = () => new Promise((go) => setTimeout(go));

/**
 * @template T
 * @param {Iterable<T>} list
 * @param {(one: T) => void} work
 */
export async function inSlices(list, work) {
  let end = performance.now() + PIECE_MS;
  for (const one of list) {
    work(one);
    if (performance.now() < end) continue;
    await pause();
    end = performance.now() + PIECE_MS;
  }
}
