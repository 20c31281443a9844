"""Every figure that docs/ or the contract promise, as a literal beside the constant that keeps it.

`PROMISED`: page, the words there that hold the figure, and what must then stand in the code. `CONTRACT`: the same for
what only the contract says. A constant is `module:NAME`, `module:Class.field` for the default of a dataclass, or
`file.js:NAME` in the pages' scripts.
"""

from typing import NamedTuple

S, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


class Promise(NamedTuple):
    page: str
    says: str
    constants: dict[str, object]


PROMISED = (
    Promise(
        "charging-piles.md",
        "does not answer within 6 s",
        {"firmware_bridge.ocpp.relay.operator:ANSWER_S": 6.0},
    ),
    Promise(
        "charging-piles.md",
        "again after 1 s, then ever more rarely, at most a minute apart",
        {
            "firmware_bridge.ocpp.relay.operator:AGAIN_S": 1.0,
            "firmware_bridge.ocpp.relay.operator:AGAIN_MOST_S": 60.0,
        },
    ),
    Promise(
        "charging-piles.md",
        "What he refuses with an error is tried three times",
        {"firmware_bridge.ocpp.relay.operator:TRIES": 3},
    ),
    Promise(
        "charging-piles.md",
        "for three days and the newest 50,000 of a bus",
        {
            "firmware_bridge.spool_relay:SETTLED_KEPT_MS": 3 * DAY,
            "firmware_bridge.spool_relay:MOST_SETTLED": 50_000,
        },
    ),
    Promise(
        "charging-piles.md",
        "10,000 messages wait for each pile",
        {"firmware_bridge.spool_relay:MOST_HELD": 10_000},
    ),
    Promise(
        "charging-piles.md",
        "turned on a minute after it has booted",
        {"firmware_bridge.ocpp.attending:SETTLED_S": 60.0},
    ),
    # availability: whether one can come in
    Promise(
        "availability.md",
        "4 times within 12 hours it was locked again within 3 minutes",
        {
            "gateway.kinds.door:RELOCKS": 4,
            "gateway.kinds.door:RELOCKS_WITHIN_MS": 12 * HOUR,
            "gateway.kinds.door:SOON_MS": 3 * MINUTE,
        },
    ),
    Promise(
        "availability.md",
        "it has stood closed and not locked for 10 minutes; one that has locked itself 8 times, a few times",
        {
            "gateway.kinds.door:STANDS_MS": 10 * MINUTE,
            "gateway.kinds.door:RELOCKS_MOST": 8,
            "gateway.kinds.door:A_STAND": 3,
        },
    ),
    Promise(
        "tls.md",
        "Twenty days before the first of them ends",
        {"gateway.base.certificates:SOON_MS": 20 * DAY, "gateway.alerting.ourselves:HOURLY_MS": HOUR},
    ),
    Promise("backup.md", "tried again after an hour", {"api.backups.schedule:AGAIN_MS": HOUR}),
    Promise("backup.md", "none was made for a day and a half", {"gateway.base.backup_state:LATE_MS": 36 * HOUR}),
    Promise("tls.md", "taken up within 30 seconds", {"api.tls:LOOK_EVERY_S": 30}),
    Promise(
        "audit.md",
        "after 1 MiB (`access-{number of its last line}.jsonl`), and at most 200 of these",
        {"api.access_book:LONGEST_BYTES": 2**20, "api.access_book:ASIDE_MOST": 200},
    ),
    # alerts
    Promise("alerts.md", "`raise_delay_s: 10`", {"gateway.alerts.case:Policy.raise_delay_ms": 10 * S}),
    Promise("alerts.md", "`clear_delay_s: 30`", {"gateway.alerts.case:Policy.clear_delay_ms": 30 * S}),
    Promise(
        "alerts.md",
        "three rises within `flap_hold_s: 900` hold the alert open for as long; the fifth raises it",
        {
            "gateway.alerts.case:HOLD_OPEN_RISES": 3,
            "gateway.alerts.case:FLAPPING_RISES": 5,
            "gateway.alerts.case:Policy.flap_hold_ms": 900 * S,
        },
    ),
    Promise("alerts.md", "the copy 300 s", {"gateway.alerting.ourselves:COPY_PATIENCE_MS": 300 * S}),
    Promise("alerts.md", "`site_offline_pct: 80`", {"gateway.alerts.case:Policy.site_offline_pct": 80}),
    Promise("alerts.md", "fine again 5 points above", {"gateway.alerts.signals:BATTERY_BAND_PCT": 5}),
    Promise("alerts.md", "or has taken none for 5 min", {"gateway.alerts.facts:CHANNEL_PATIENCE_MS": 5 * MINUTE}),
    Promise("alerts.md", "checked in for three times", {"gateway.alerting.screens:TRIED": 3}),
    Promise("alerts.md", "has been missed for a day was taken down", {"gateway.alerting.screens:FORGET_AFTER_MS": DAY}),
    Promise("alerts.md", "A station remembers 16", {"gateway.alerting.screens:SCREENS_MOST": 16}),
    Promise(
        "alerts.md",
        "is paused for 5 s, doubling up to 5 min, or as long as `Retry-After` says, an hour at most",
        {
            "gateway.notify.post:FIRST_PAUSE_MS": 5 * S,
            "gateway.notify.post:LONGEST_PAUSE_MS": 5 * MINUTE,
            "gateway.notify.post:LONGEST_WISH_MS": HOUR,
            "gateway.notify.http:RETRY_MOST_S": 3600.0,
        },
    ),
    Promise(
        "alerts.md",
        "that nobody took for three days, or on which our own sender broke ten times is a dead letter",
        {"gateway.notify.post:GIVE_UP_AFTER_MS": 3 * DAY, "gateway.notify.post:FAULTS_MOST": 10},
    ),
    Promise("alerts.md", "after a minute", {"gateway.notify.robots:RATE_PAUSE_S": 60.0}),
    Promise(
        "alerts.md",
        "(WeCom 4,096 bytes, DingTalk 5,000, Feishu 20 KB)",
        {
            "gateway.notify.channels.wecom:MAX_BYTES": 4_096,
            "gateway.notify.channels.dingtalk:MAX_BYTES": 5_000,
            "gateway.notify.channels.feishu:MAX_BYTES": 12_000,
        },
    ),
    Promise("alerts.md", "good for a minute, each once", {"gateway.commands.gate:LIFE_MS": MINUTE}),
    Promise("alerts.md", "can show nothing for half an hour", {"gateway.alerts.orders:VERIFY_WITHIN_MS": 30 * MINUTE}),
    # devices, calendars, the broker
    Promise(
        "availability.md", "its `ttl` is 25 h (90,000 s) or its kind's", {"config.resources:BATTERY_TTL_S": 90_000}
    ),
    Promise(
        "devices-as-they-are.md",
        "all ones: 255, 32,767, 65,535",
        {"gateway.base.bounds:NOBODY_COUNTED": frozenset({255, 32_767, 65_535})},
    ),
    Promise("devices-as-they-are.md", "the thousand names that come first", {"gateway.core.remarks:MOST": 1_000}),
    Promise("devices-as-they-are.md", "The twenty most frequent stand in", {"gateway.core.remarks:TOLD": 20}),
    Promise("broker.md", "packets of up to 1 MiB", {"gateway.mqtt.client:MAX_PACKET": 1_048_576}),
    Promise("pages.md", "nobody has seen for 10 s gives its stream back", {"feed.js:HIDDEN_MS": 10 * S}),
    Promise(
        "timeseries.md",
        "a quarter of an hour and 1 kWh for late readings",
        {"gateway.history.tally:LATE_MS": 15 * MINUTE, "gateway.history.tally:STEP_MWH": 1_000_000},
    ),
    # the interface for programs
    Promise("api.md", "within 5 s of a document's end, `max-age=0`", {"api.live_view:MAX_AGE_S": 5}),
    Promise(
        "api.md", "`open.now` becomes `unknown` after 2 s", {"gateway.live.station_document:OPENING_GRACE_MS": 2 * S}
    ),
    Promise("api.md", "the server's time, every 5 s", {"api.push:HEARTBEAT_S": 5}),
    Promise("api.md", "Streams end after 30 to 60 minutes", {"api.push:LIFE_S": (30 * 60, 60 * 60)}),
    Promise("api.md", "An address has 16 such walls", {"api.walls:PER_ADDRESS": 16}),
    Promise("api.md", "A window has at most 400 days", {"api.routes.past:WINDOW_MAX_DAYS": 400}),
    Promise(
        "api.md",
        "at most `limit` intervals (2,000, at most 20,000)",
        {"api.routes.history:PAGE_DEFAULT": 2_000, "api.routes.history:PAGE_MAX": 20_000},
    ),
    Promise(
        "api.md",
        "among the five busiest; `null` below 80 % coverage",
        {"gateway.history.utilization:PEAK_HOURS": 5, "gateway.history.utilization:PEAK_COVERAGE": 0.8},
    ),
    Promise("api.md", "places × (100 + buckets)", {"api.price:RESOURCE": 100}),
    Promise("api.md", "cost 500,000 (1,200 places by day", {"api.price:STRANGERS_MOST": 500_000}),
    Promise("api.md", "with one 6,000,000", {"api.price:STAFF_MOST": 6_000_000}),
    Promise("api.md", "goes back a week without a key", {"api.price:STRANGERS_HOURS": 169}),
    Promise("api.md", "the others read 200,000 changes", {"api.price:CHANGES_MOST": 200_000}),
    Promise("api.md", "While four of an address wait for their answer", {"api.attempts:WAITING_AT_ONCE": 4}),
    Promise("api.md", "the 5th, 10th, 100th, …", {"api.attempts:TOLD": frozenset({5} | {10**n for n in range(1, 10)})}),
    Promise(
        "api.md",
        "A body has at most 64 KiB (413) and 60 s, the head of a request 32 KiB (431) and 10 s (408)",
        {
            "api.front:BODY_MAX": 65_536,
            "api.connections:ConnectionBounds.body_s": 60,
            "api.connections:ConnectionBounds.head_bytes": 32_768,
            "api.connections:ConnectionBounds.head_s": 10,
        },
    ),
    Promise(
        "api.md",
        "who takes nothing of an answer for 30 s is let go",
        {"api.connections:ConnectionBounds.stalled_s": 30},
    ),
    Promise("api.md", "at most 512 connections", {"api.connections:ConnectionBounds.per_address": 512}),
    Promise("api.md", "16,384; beyond that 503", {"api.connections:TOTAL": 16_384}),
    Promise("api.md", "Nonsense is one line a minute", {"api.live_feed:TELL_S": 60.0}),
    Promise("api.md", "more than 4 MiB", {"api.wire_documents:MAX_BYTES": 4_194_304}),
    Promise("api.md", "`as_of` more than ten minutes ahead", {"api.wire_documents:AHEAD_MS": 10 * MINUTE}),
    # what is free
    Promise("availability.md", "each 25 passages since the last proof", {"gateway.kinds.room:PASSAGES_A_MISCOUNT": 25}),
    Promise("availability.md", "it draws 20 W or more", {"gateway.evidence.power:METER_W": 20.0}),
    Promise(
        "availability.md", "changed 12 times each on average", {"gateway.evidence.contradiction:NEIGHBOUR_FLIPS": 12.0}
    ),
    Promise(
        "availability.md", "For 15 min from its last step", {"gateway.evidence.contradiction:REGISTER_MS": 15 * MINUTE}
    ),
    Promise(
        "availability.md", "Six weeks before a year begins", {"gateway.policy.hours.official:NOTICE_BEFORE.days": 42}
    ),
    Promise("availability.md", "26 to 31 December wait", {"gateway.policy.hours.official:_LAST_DAYS_FROM": 26}),
    Promise("availability.md", "must end, within 366 days", {"gateway.policy.override:MAX_SPAN_MS": 366 * DAY}),
    Promise("availability.md", "(16 characters or more", {"api.routes.override:TOKEN_MIN": 16}),
    Promise(
        "availability.md",
        "(up to 4 hours), and the last copy stays good for a week",
        {"gateway.calendars.feeds:SLOWER": 4, "gateway.calendars.feeds:KEEP_MS": 7 * DAY},
    ),
    Promise("availability.md", "Files are read each minute", {"gateway.calendars.feeds:MINUTE_MS": MINUTE}),
    Promise(
        "availability.md",
        "At most 2 MiB (also when unpacked from gzip), 2,000 events",
        {"gateway.calendars.lines:MAX_BYTES": 2_097_152, "gateway.calendars.ical:MAX_EVENTS": 2_000},
    ),
    Promise(
        "availability.md",
        "2,000 occurrences in the 15 days looked at",
        {
            "gateway.calendars.ical:MAX_OCCURRENCES": 2_000,
            "gateway.calendars.feeds:PAST_MS": DAY,
            "gateway.calendars.feeds:AHEAD_MS": 14 * DAY,
        },
    ),
    Promise("availability.md", "with 5 s of computing time", {"gateway.calendars.isolated:CPU_S": 5}),
    Promise("availability.md", "up to 24 times a day", {"gateway.calendars.events:_TIMES_A_DAY": 24}),
    Promise(
        "availability.md", "Titles are one line of at most 120 characters", {"gateway.calendars.ical:MAX_TITLE": 120}
    ),
    Promise(
        "availability.md",
        "given up 15 minutes after its beginning if presence was live all that time and nobody has been "
        "seen since 10 minutes before",
        {"gateway.policy.activities:GRACE_MS": 15 * MINUTE, "gateway.policy.activities:EARLY_MS": 10 * MINUTE},
    ),
    Promise("availability.md", "in bands at least 5 people wide", {"gateway.policy.privacy:CROWD": 5}),
    # bridge, boards, broker
    Promise("bridge.md", "3,000 messages beyond its watermark", {"firmware_bridge.publisher:WINDOW": 3_000}),
    Promise(
        "bridge.md",
        "after 30 s without a watermark (then 60, 120 … 900 s)",
        {"firmware_bridge.publisher:RESEND_MS": (30 * S, 900 * S)},
    ),
    Promise("bridge.md", "It is opened again every second", {"firmware_bridge.bus:REOPEN_S": 1.0}),
    Promise("bridge.md", "a reply longer than 64 bytes", {"firmware_bridge.devices.sdt:LIMIT": 64}),
    Promise(
        "bridge.md",
        "nothing valid within 10 s of dialling, or for 8 minutes later",
        {"firmware_bridge.tcp:FIRST_FRAME_S": 10.0, "firmware_bridge.tcp:IDLE_S": 480.0},
    ),
    Promise(
        "bridge.md",
        "at most 32 piles, 8 of them not yet heard",
        {"firmware_bridge.tcp:AN_ADDRESS": 32, "firmware_bridge.tcp:UNPROVEN": 8},
    ),
    Promise("bridge.md", "in the ten seconds before", {"firmware_bridge.door:PASSAGE_MS": 10 * S}),
    Promise(
        "framing.md",
        "after 95 s of silence a board counts as offline",
        {"firmware_bridge.protocols.base:PUSH_SILENT_MS": 95 * S},
    ),
    Promise("framing.md", "At most 512 bytes without the line end", {"firmware_bridge.frames.line:LIMIT": 512}),
    Promise("framing.md", "Decoded, at most 128 bytes", {"firmware_bridge.frames.packet:LIMIT": 128}),
    Promise("broker.md", "at most 60 s ahead", {"gateway.commands.gate:LIFE_MS": MINUTE}),
    Promise("broker.md", "longer than 64 KiB", {"gateway.commands.gate:MAX_BYTES": 65_536}),
    Promise(
        "configuration.md",
        "A file has at most 32 MiB",
        {"config.yaml_file:MAX_BYTES": 33_554_432},
    ),
    Promise("configuration.md", "64 KiB at most", {"config.files:SMALL_BYTES": 65_536}),
    # devices of others
    Promise("devices-as-they-are.md", "within two minutes of its hello", {"gateway.core.foreign:AWAKE_MS": 2 * MINUTE}),
    Promise(
        "devices-as-they-are.md",
        "three messages equally late (by more than a minute)",
        {"gateway.core.admission:PROMPT_MS": MINUTE, "gateway.core.admission:LAGS": 2},
    ),
    Promise("devices-as-they-are.md", "more than five minutes newer", {"gateway.wire:TS_FUTURE_MS": 5 * MINUTE}),
    # boxes and their centre
    Promise(
        "growing.md",
        "Events are live for ten minutes, then late",
        {"gateway.uplink.outbound:EVENTS_LIVE_MS": 10 * MINUTE, "gateway.core.passed_on:MOST_LATE_MS": 10 * MINUTE},
    ),
    Promise("growing.md", "20 seconds after it fell silent", {"gateway.uplink.outbound:SILENT_MS": 20 * S}),
    Promise("growing.md", "on `yz-box/{box}`, every 15 s", {"gateway.uplink.line:REPORT_EVERY_S": 15.0}),
    Promise("growing.md", "or after a minute of silence", {"gateway.live.box_lines:SILENT_MS": MINUTE}),
    # the past
    Promise(
        "timeseries.md",
        "More than an hour apart, it is kept as energy over a gap",
        {"gateway.history.tally:GAP_MS": HOUR},
    ),
    Promise(
        "timeseries.md",
        "a quarter of an hour and 1 kWh for late readings and coarse registers",
        {"gateway.history.tally:LATE_MS": 15 * MINUTE, "gateway.history.tally:STEP_MWH": 1_000_000},
    ),
    Promise("timeseries.md", "more than one in twenty is refused", {"gateway.influx.delivery:REFUSED_SHARE": 20}),
    Promise("timeseries.md", "after twenty that were taken", {"gateway.influx.delivery:FIT_AGAIN": 20}),
    Promise("timeseries.md", "intake has more than 1,000", {"gateway.runtime.gateway:COPY_GIVES_WAY": 1_000}),
    Promise("timeseries.md", "Between two and five o'clock", {"gateway.influx.nightly:NIGHT": range(2, 5)}),
    Promise("timeseries.md", "pieces of 250 messages", {"gateway.influx.nightly:AT_ONCE": 250}),
    Promise("timeseries.md", "in groups of 20,000 rows", {"api.parquet:ROWS_IN_A_GROUP": 20_000}),
    Promise("timeseries.md", "holds in four of five cases", {"gateway.history.forecast:COVERAGE": 0.8}),
    Promise("timeseries.md", "two-hour parts of the local day", {"gateway.history.forecast:PART_HOURS": 2}),
    Promise("timeseries.md", "each fifth of the past is forecast", {"gateway.history.forecast:FOLDS": 5}),
    Promise(
        "timeseries.md",
        "With fewer than 100 sessions, or fewer than 20",
        {"gateway.history.forecast:ENOUGH": 100, "gateway.history.forecast:SURVIVORS": 20},
    ),
    Promise("timeseries.md", "the uses of the last 39 days", {"gateway.runtime.forecasts:LOOK_BACK_MS": 39 * DAY}),
    Promise(
        "timeseries.md",
        "With fewer than 30 such times, where a last third of them is covered by less than 65 %",
        {"gateway.history.first_free:SPELLS": 30, "gateway.history.first_free:BORNE_OUT": 0.65},
    ),
    # pages
    Promise("pages.md", "When no event came for 8 s", {"feed.js:SILENT_MS": 8_000}),
    Promise(
        "pages.md",
        "In steps of five minutes, beyond an hour and a half",
        {"forecast.js:STEP_MIN": 5, "forecast.js:LONGEST_MIN": 90},
    ),
    Promise("pages.md", "that nobody has seen for 10 s gives its stream back", {"feed.js:HIDDEN_MS": 10_000}),
    Promise("pages.md", "Once a minute", {"api.pages.place:CHECK_IN_S": 60.0, "keeper.js:CHECK_S": 60}),
    Promise(
        "pages.md", "(16 names of an address in an hour)", {"api.walls:PER_ADDRESS": 16, "api.walls:NAME_KEPT_MS": HOUR}
    ),
    Promise(
        "pages.md",
        "else 21:00-06:30",
        {"api.pages.place:NIGHT_DEFAULT": "21:00-06:30", "overview.js:NIGHT": "21:00-06:30"},
    ),
    # visits
    Promise("visits.md", "| missed 10, double 2 |", {"gateway.history.visits:CARD": (10, 2)}),
    Promise("visits.md", "| missed 2, double 5 | yes", {"gateway.history.visits:COUNTER": (2, 5)}),
    Promise("visits.md", "| double 25 |", {"gateway.history.visits:OPENING": (0, 25)}),
    Promise("visits.md", "live for 95 % of the open time", {"gateway.history.visits:WATCHED": 0.95}),
    Promise(
        "visits.md",
        "one person a second, up to 10 minutes",
        {"gateway.history.visits:MOST_A_SECOND": 1, "gateway.history.visits:UNSEEN_MS": 10 * MINUTE},
    ),
    Promise("visits.md", "three standard deviations", {"gateway.history.visits:SPREAD": 3.0}),
    Promise("visits.md", "with 15 minutes for late messages", {"gateway.history.turnstile:LATE_MS": 15 * MINUTE}),
    Promise("visits.md", "back within the hour", {"gateway.history.turnstile:BACK_MS": HOUR}),
)

CONTRACT: dict[str, dict[str, object]] = {
    "a native message has at most 16 KiB": {"gateway.wire:MAX_PAYLOAD": 16_384},
    "a ts too far from our clock is not believed": {
        "gateway.wire:TS_PAST_MS": 30 * DAY,
        "gateway.wire:TS_FUTURE_MS": 5 * MINUTE,
    },
    "a document is renewed before half the ttl has gone": {
        "gateway.live.document:RENEW_AFTER": 0.5,
        "gateway.live.state:RENEW_SHARE": 0.45,
    },
    "a signed command is good for 60 s": {"gateway.commands.gate:LIFE_MS": MINUTE},
    "a watermark stands 10 s after the commit at the latest": {"gateway.runtime.watermarks:GAP_S": 1.25},
    "SIGTERM stops within 5 s": {
        "gateway.runtime.gateway:STOP_S": 4.0,
        "firmware_bridge.buses:STOP_S": 3.0,
        "api.server:GRACE_S": 2,
    },
    "stored blocks are read by later programs: a clock is a number of 13 digits": {
        "gateway.store.packing:_CLOCK_DIGITS": 13,
        "gateway.store.packing:VERSION": 1,
    },
}
