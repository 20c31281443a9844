// What the pages get from the server. docs/api.md and docs/availability.md tell what it means.

export type Usable = "yes" | "no" | "unknown";
/** By language: `zh`, `zh-hant`, `en`. */
export type Names = Record<string, string>;

export interface Resource {
  id: string;
  kind: string;
  type: string | null;
  name?: Names;
  lifecycle: "planned" | "active" | "removed";
  health: "ok" | "fault" | "maintenance";
  access: "open" | "closed" | "staff_only" | "unknown";
  use: string;
  evidence: "live" | "stale" | "offline" | "never" | "suspect";
  usable: Usable;
  because?: string[];
  since: string | null;
  observed_at: string | null;
  valid_until: string | null;
  /** Units of a bank of lockers or a car park. */
  free?: number | null;
  total?: number | null;
  programme?: { now?: Event; next?: Event } | null;
  /** How full a room is, where heads are not told. */
  level?: string | null;
}

/** What measures or warns; nobody occupies it. */
export interface Instrument {
  id: string;
  kind: string;
  type: string | null;
  name?: Names;
  health: "ok" | "fault" | "maintenance";
  evidence: "live" | "stale" | "offline" | "never" | "suspect";
  by: "sensor" | "person" | "schedule";
  alarm: boolean | null;
  values: Record<string, number>;
  observed_at: string | null;
  valid_until: string | null;
}

export interface Event {
  title?: Names;
  from?: string;
  until?: string;
}

export interface Line {
  kind: string;
  type: string | null;
  total: number;
  usable_min: number;
  usable_max: number;
  next_free?: { at: string; from: string; to: string } | null;
}

/** The availability document; without `areas` in lists. */
export interface Document {
  station: string;
  name?: Names;
  as_of: string;
  valid_until: string | null;
  open?: {
    now: Usable;
    until: string | null;
    proof?: "proved" | "unproved" | "contradicted";
    proved_at?: string | null;
    proved_until?: string;
  };
  summary?: Line[];
  areas?: { id: string; name?: Names; resources: Resource[]; instruments?: Instrument[] }[];
  region?: string[];
  location?: { lat: number; lon: number } | null;
  distance_m?: number;
  /** false while the station's gateway is away; else left out */
  watched?: boolean;
}

export interface Alert {
  id: string;
  station: string | null;
  resource: string | null;
  kind: string;
  severity: "info" | "warning" | "critical";
  state: "open" | "acknowledged" | "closed";
  opened_at: string;
  history?: { state: string; by?: string; actor?: string }[];
}

export interface Order {
  id: string;
  alert: string;
  state: "assigned" | "accepted" | "done" | "closed";
  assignee: string;
}
