"""How fresh a resource's value is: when it was last told, how long that is good, whether its device is there at all."""

from gateway.model import Evidence, Millis, Resource

SILENT: tuple[Evidence, ...] = ("never", "offline", "stale")


class Freshness:
    """`heard`: a value came at least once; `unreadable`: nobody could read it when it was last told; `offline_at`: from
    when on its device counts as gone; `cut_at`: the same, where that is because of the line to its box. `valid_until`
    is rounded down to `step_ms`. Times in ms.

    Nobody else writes these: each thing that may happen to them is a method.
    """

    __slots__ = (
        "cut_at", "heard", "observed_at", "offline_at", "on_change", "step_ms", "ttl_ms", "unreadable", "valid_until",
    )  # fmt: skip

    def __init__(self, resource: Resource, step_ms: Millis = 1) -> None:
        self.ttl_ms, self.step_ms = resource.ttl_ms, step_ms
        self.on_change = resource.reporting == "on_change"
        self.heard = self.unreadable = False
        self.observed_at: Millis | None = None
        self.valid_until: Millis | None = None
        self.offline_at: Millis | None = None
        self.cut_at: Millis | None = None

    def told(self, observed_at: Millis) -> None:
        """Its value was told, and read: good for its ttl."""
        self.heard = True
        self.observed_at = observed_at
        until = observed_at + self.ttl_ms
        self.valid_until = until - until % self.step_ms
        self.offline_at = None
        self.unreadable = False

    def recalled(self, observed_at: Millis | None) -> None:
        """A broker repeats what was told some time: a value, and no freshness."""
        self.heard, self.observed_at, self.valid_until = True, observed_at, None

    def alive(self, heard_at: Millis, now: Millis) -> None:
        """A sign of life without a value: an on-change reporter's value is good still, if it was ever fresh."""
        if self.offline_at is not None and now >= self.offline_at and not self.on_change:
            self.valid_until = None  # it is back, but what it said before it went is no news
        self.offline_at = None
        if self.valid_until is not None and self.on_change:
            until = heard_at + self.ttl_ms
            self.valid_until = until - until % self.step_ms

    def gone(self, at: Millis) -> None:
        """Its device says goodbye, which counts from then on."""
        self.offline_at = at

    def cut(self, at: Millis) -> None:
        """The line to its box is down, so nobody can tell."""
        if self.offline_at is None:
            self.offline_at = self.cut_at = at

    def joined(self) -> None:
        """The line stands again; what was told before may still be good."""
        if self.cut_at is not None and self.offline_at == self.cut_at:
            self.offline_at = None
        self.cut_at = None

    @property
    def is_cut(self) -> bool:
        """Nothing is known of it but that the line to its box is down."""
        return self.cut_at is not None and self.offline_at == self.cut_at

    def lost(self) -> None:
        """A value came that nobody can read: what we had is no longer to be trusted."""
        self.unreadable = True

    def run_out(self, now: Millis) -> None:
        """What we had is good until now at the latest."""
        if self.valid_until is not None:
            self.valid_until = min(self.valid_until, now)

    def lasts(self, ttl_ms: Millis) -> None:
        """How long a value is good from now on, where a device or a dialect says so."""
        self.ttl_ms = ttl_ms

    def promised_anew(self, before: "Freshness", configured_ms: Millis) -> None:
        """The same thing under another configuration, by which its value may be good for longer or shorter.

        `before`: as it was, with `configured_ms` for a ttl unless its device or dialect said another, which stands.
        """
        if before.ttl_ms != configured_ms:
            self.ttl_ms = before.ttl_ms
        elif self.valid_until is not None and before.ttl_ms != self.ttl_ms:
            until = self.valid_until + self.ttl_ms - before.ttl_ms
            self.valid_until = until - until % self.step_ms
