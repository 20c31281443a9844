"""The commands: one file each with `add(subparsers)` and `run(args) -> exit status`, one line here."""

COMMANDS = {
    "demo": "everything at once, with virtual devices; nothing else needed",
    "up": "the one-box product: gateway, API and pages",
    "gateway": "the gateway alone",
    "api": "the API and pages alone, fed by the broker and the store",
    "bridge": "the firmware bridge: serial and field buses to MQTT",
    "simulate": "virtual devices for the configured stations",
    "check": "every mistake in a configuration, with line and mend",
    "config": "the versions of a configuration: log, show, undo, restore",
    "reload": "have running processes take up the configuration's files",
    "doctor": "try the broker, store, disk, clock, serial ports and notifiers",
    "export": "the stored readings and events, one a line",
    "import": "what `yizhan export` wrote, back into the store",
    "backup": "copy the whole store, also while the gateway works",
    "restore": "make a backup the store again",
    "audit": "the trail of who changed what: verify, export",
    "store": "the copy in InfluxDB: init, compare; a card everywhere: forget",
    "discover": "listen, and print the devices heard with ready config lines",
    "replay": "recorded messages through the real core: states and alerts out",
    "device": "users of devices at a mosquitto broker: add, list, revoke",
    "keys": "keys for staff and apps: create, list, revoke",
}
