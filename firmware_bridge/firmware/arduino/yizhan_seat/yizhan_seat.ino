// A seat with a presence sensor, speaking level 2 of the yizhan framing (ESP32, and any Arduino with a spare UART).
// Each packet is sent until the bridge has it on disk; a silent host changes nothing for the rest of the program.
#include "yizhan_codec.h"

static const char HELLO[] = "{\"id\":\"seat-01\",\"fw\":\"seat-1.0\"}";
static const int SENSOR_PIN = 4, RX_PIN = 16, TX_PIN = 17;
static const uint32_t HOLD_MS = 2000, BEAT_MS = 30000, RESEND_MS = 1000, RESEND_MAX_MS = 8000;
static const uint8_t KEY_OCCUPIED = 1;

struct Waiting {
  uint8_t type, seq, size, payload[48];
};

// A seat has only states, so the newest replaces one that still waits; what is on the wire stays.
static Waiting onWire, next;
static bool sending = false, queued = false;
static uint8_t seq = 0, incoming[YZ_PACKET_LIMIT + 1];
static size_t received = 0;
static uint32_t sentAt = 0, waitMs = RESEND_MS, saidAt = 0, changedAt = 0;
static bool shown = false, overflow = false;

static void transmit() {
  uint8_t wire[YZ_WIRE_LIMIT];
  size_t size = yz_packet_seal(onWire.type, onWire.seq, onWire.payload, onWire.size, wire);
  Serial1.write(wire, size);
  sentAt = saidAt = millis();
}

static void start(const Waiting &packet) {
  onWire = packet;
  onWire.seq = seq++;
  sending = true;
  waitMs = RESEND_MS;
  transmit();
}

static void tellState() {
  next.type = YZ_STATE;
  next.size = 2;
  next.payload[0] = KEY_OCCUPIED;
  next.payload[1] = shown;
  queued = true;
}

static void obey(uint8_t *packet, size_t size) {
  if (yz_packet_unseal(packet, size) < 0) return;
  if (packet[1] == YZ_ACK && sending && packet[2] == onWire.seq) sending = false;
  if (packet[1] == YZ_POLL) tellState();
}

static void hear() {
  while (Serial1.available()) {
    uint8_t byte = Serial1.read();
    if (byte) {
      if (received < sizeof incoming) incoming[received++] = byte;
      else overflow = true;
      continue;
    }
    if (received && !overflow) obey(incoming, received);
    received = 0;
    overflow = false;
  }
}

static void look() {
  bool seen = digitalRead(SENSOR_PIN);
  if (seen == shown) changedAt = 0;
  else if (!changedAt) changedAt = millis() | 1;
  else if (millis() - changedAt >= HOLD_MS) {
    shown = seen;
    changedAt = 0;
    tellState();
  }
}

void setup() {
  pinMode(SENSOR_PIN, INPUT);
  Serial1.begin(YZ_BAUD, SERIAL_8N1, RX_PIN, TX_PIN);
  Waiting hello = {YZ_HELLO, 0, sizeof HELLO - 1, {0}};
  memcpy(hello.payload, HELLO, sizeof HELLO - 1);
  start(hello);
  tellState();
}

void loop() {
  hear();
  look();
  if (!sending && queued) {
    queued = false;
    start(next);
  } else if (sending && millis() - sentAt >= waitMs) {
    waitMs = waitMs * 2 > RESEND_MAX_MS ? RESEND_MAX_MS : waitMs * 2;
    transmit();
  }
  if (!sending && !queued && millis() - saidAt >= BEAT_MS) tellState();
  delay(20);
}
