// js/kinds.js is made by api/pages/kinds.py.

type Words = [simplified: string, traditional: string, english: string];

export interface Kind {
  /** What is counted and named (`charger:ebike`), with its icon; the last one is for what has no type. */
  keys: Record<string, string>;
  groups: boolean;
  units: boolean;
  entrance: boolean;
  vital: boolean;
}

export const KINDS: Record<string, Kind>;
export const WORDS: Record<string, Words>;
