"""yizhan serial framing, level 1, for MicroPython (1.20 or newer). See docs/framing.md.

Copy this file to the board. It needs nothing but `json`, and runs on a computer too: the project tests it there.
"""

# mypy: ignore-errors
import json

BAUD = 115200
LIMIT = 512
RESEND_MS = 1000  # first wait for an acknowledgement; doubles up to RESEND_MAX_MS
RESEND_MAX_MS = 8000
BEAT_MS = 30000  # something is said at least this often
KEEP = 64  # messages kept while nobody acknowledges
FRESH_MS = 5000  # a lock opens for a card only so long after it


def crc16(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def seal(fields):
    body = json.dumps(fields, separators=(",", ":")).encode()
    return body + ("*%04X\n" % crc16(body)).encode()


def unseal(line):
    """The fields of one line, or None when it is damaged or not ours."""
    line = line.strip()
    if len(line) > LIMIT or len(line) < 7 or line[-5:-4] != b"*" or line[:1] != b"{":
        return None
    body = line[:-5]
    if ("%04X" % crc16(body)).encode() != line[-4:]:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return None


class Link:
    """Sends states and events in order, each until the bridge has it on disk.

    `write(bytes)` puts bytes on the UART, `ticks_ms()` is a clock in ms (`time.ticks_ms`). Call `hear` with what the
    UART has received and `tick` often; neither waits, and a silent host changes nothing for the rest of your program.
    `on_poll()` is called when the host asks for a state, `on_pulse(ms)` when it opens a lock.
    """

    def __init__(self, device, firmware, write, ticks_ms):
        self.device = device
        self._write = write
        self._ticks_ms = ticks_ms
        self._queue = []  # [is_event, seq, line]; the first one is on the wire
        self._seq = 0
        self._rest = b""
        self._sent_at = None
        self._wait_ms = RESEND_MS
        self._said_at = ticks_ms()
        self._event_seq = None  # the latest event, and when it was
        self._event_at = 0
        self.lost = 0  # states that made room for newer ones
        self.confirmed = 0
        self.on_poll = None
        self.on_pulse = None
        self._put(True, {"hello": 1, "fw": firmware})

    def state(self, **signals):
        """What is true now, in short keys: occ, n, open, st, w, wh, bat, err, and those of docs/framing.md."""
        self._put(False, signals)

    def event(self, kind, **fields):
        """Something that happened: card, door_forced, door_held, tamper, help, passage."""
        fields["ev"] = kind
        self._put(True, fields)

    def _put(self, is_event, fields):
        if is_event:
            self._event_seq, self._event_at = self._seq, self._ticks_ms()
        fields.update({"v": 1, "id": self.device, "seq": self._seq})
        self._queue.append([is_event, self._seq, seal(fields)])
        self._seq = (self._seq + 1) & 255
        if len(self._queue) > KEEP:
            self._make_room()
        self.tick()

    def _make_room(self):
        """The oldest state goes, never an event, never what is on the wire."""
        for at in range(1, len(self._queue)):
            if not self._queue[at][0]:
                del self._queue[at]
                self.lost += 1
                return

    def hear(self, data):
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()[-LIMIT:]
        for line in lines:
            fields = unseal(line)
            if fields is not None and fields.get("v") == 1:
                self._obey(fields)

    def _obey(self, fields):
        if fields.get("id", self.device) != self.device:
            return
        if self._queue and self._sent_at is not None and fields.get("ack") == self._queue[0][1]:
            self._queue.pop(0)
            self.confirmed += 1
            self._sent_at = None
            self._wait_ms = RESEND_MS
            self.tick()
        if "poll" in fields and self.on_poll:
            self.on_poll()
        if "pulse" in fields and self.on_pulse and self._in_time(fields.get("for")):
            self.on_pulse(fields["pulse"])

    def _in_time(self, seq):
        """A pulse for a card counts only while the person may still stand there; one without `for` is somebody's order."""
        return seq is None or (seq == self._event_seq and self._since(self._event_at) < FRESH_MS)

    def idle(self):
        """True when everything was confirmed."""
        return not self._queue

    def beat_due(self):
        """True when a state should be told again although nothing changed."""
        return not self._queue and self._since(self._said_at) >= BEAT_MS

    def tick(self):
        if not self._queue:
            return
        if self._sent_at is not None:
            if self._since(self._sent_at) < self._wait_ms:
                return
            self._wait_ms = min(self._wait_ms * 2, RESEND_MAX_MS)
        self._sent_at = self._said_at = self._ticks_ms()
        self._write(self._queue[0][2])

    def _since(self, then):
        return (self._ticks_ms() - then) & 0x3FFFFFFF
