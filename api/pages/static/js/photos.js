// Photos of checks: made small on the phone, and kept there until the server has them.

/** @typedef {{id: string, station: string, check: string, photo: Blob}} KeptPhoto */

const STORE = "photos";
const LARGEST = 300 * 1024; // bytes that the server takes
const SIDE = 1600; // pixels of the longer side, to read a label by

/** @type {Map<string, KeptPhoto>} */
const memory = new Map(); // where the browser lets us keep nothing

/** @type {Promise<IDBDatabase> | undefined} */
let opened;

function opening() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open("yizhan-checks", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "id" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  return opened;
}

/** @param {IDBTransactionMode} mode @param {(store: IDBObjectStore) => IDBRequest} what @returns {Promise<any>} */
async function ask(mode, what) {
  const within = (await opening()).transaction(STORE, mode);
  const request = what(within.objectStore(STORE));
  return new Promise((resolve, reject) => {
    within.oncomplete = () => resolve(request.result);
    within.onabort = () => reject(within.error);
  });
}

/** @param {KeptPhoto} kept */
export async function keepPhoto(kept) {
  await ask("readwrite", (store) => store.put(kept)).catch(() => memory.set(kept.id, kept));
}

/** @param {string} station @returns {Promise<KeptPhoto[]>} */
export async function photosOf(station) {
  /** @type {KeptPhoto[]} */
  const kept = await ask("readonly", (store) => store.getAll()).catch(() => []);
  return [...kept, ...memory.values()].filter((one) => one.station === station);
}

/** @param {string} id */
export async function dropPhoto(id) {
  memory.delete(id);
  await ask("readwrite", (store) => store.delete(id)).catch(() => null);
}

// The picture alone, upright, as a JPEG that the server takes; null for what is none.
/** @param {Blob} file @returns {Promise<Blob | null>} */
export async function scaled(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
  if (!picture) return null;
  let side = Math.min(SIDE, Math.max(picture.width, picture.height));
  for (; side >= 200; side *= 0.7) {
    for (const quality of [0.8, 0.6]) {
      const blob = await drawn(picture, side, quality);
      if (blob && blob.size <= LARGEST) return blob;
    }
  }
  return null;
}

/** @param {ImageBitmap} picture @param {number} side @param {number} quality @returns {Promise<Blob | null>} */
function drawn(picture, side, quality) {
  const scale = side / Math.max(picture.width, picture.height);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
}
