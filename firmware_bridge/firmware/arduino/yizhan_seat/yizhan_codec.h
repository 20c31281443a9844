// yizhan serial framing, both levels. Plain C99 without allocation; see docs/framing.md.
// The project compiles this file on the host and holds it to the same vectors as its own codec.
#ifndef YIZHAN_CODEC_H
#define YIZHAN_CODEC_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define YZ_BAUD 115200
#define YZ_LINE_LIMIT 512
#define YZ_PACKET_LIMIT 128
#define YZ_WIRE_LIMIT (YZ_PACKET_LIMIT + 3)  // leading zero, one byte of overhead, delimiter
#define YZ_VERSION 1

enum { YZ_HELLO = 0x01, YZ_ACK = 0x02, YZ_HEARTBEAT = 0x03, YZ_POLL = 0x04, YZ_TIME = 0x05, YZ_PULSE = 0x06,
       YZ_STATE = 0x10, YZ_WIDE = 0x11, YZ_JSON = 0x12 };

static uint16_t yz_crc16(const uint8_t *data, size_t size) {
  uint16_t crc = 0xFFFF;
  for (size_t at = 0; at < size; at++) {
    crc ^= data[at];
    for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xA001 : crc >> 1;
  }
  return crc;
}

// Level 1: appends "*CCCC\n" and a zero byte to the JSON in `line` (room for 7 more bytes). Returns the new length.
static size_t yz_line_seal(char *line, size_t size) {
  static const char digits[] = "0123456789ABCDEF";
  uint16_t crc = yz_crc16((const uint8_t *)line, size);
  line[size++] = '*';
  for (int shift = 12; shift >= 0; shift -= 4) line[size++] = digits[crc >> shift & 15];
  line[size++] = '\n';
  line[size] = 0;
  return size;
}

// Level 1: the length of the JSON in one line without its end, or 0 when the line is damaged or none of ours.
static size_t yz_line_unseal(const char *line, size_t size) {
  char check[8];
  if (size < 7 || size > YZ_LINE_LIMIT || line[0] != '{' || line[size - 5] != '*') return 0;
  memcpy(check, line + size - 5, 5);
  uint16_t crc = yz_crc16((const uint8_t *)line, size - 5);
  for (int at = 1, shift = 12; at < 5; at++, shift -= 4) {
    uint8_t digit = crc >> shift & 15;
    if (check[at] != (char)(digit < 10 ? '0' + digit : 'A' + digit - 10)) return 0;
  }
  return size - 5;
}

// COBS; `out` has room for size + size / 254 + 1 bytes. Returns the length, without delimiter.
static size_t yz_cobs_encode(const uint8_t *data, size_t size, uint8_t *out) {
  size_t code_at = 0, to = 1;
  uint8_t code = 1;
  for (size_t at = 0; at < size; at++) {
    if (data[at]) {
      out[to++] = data[at];
      code++;
    }
    if (!data[at] || (code == 0xFF && at + 1 < size)) {
      out[code_at] = code;
      code_at = to++;
      code = 1;
    }
  }
  out[code_at] = code;
  return to;
}

// COBS; returns the decoded length, or -1 when `data` is no whole packet. `out` may be `data`.
static int yz_cobs_decode(const uint8_t *data, size_t size, uint8_t *out) {
  size_t at = 0, to = 0;
  if (!size) return -1;
  while (at < size) {
    uint8_t code = data[at];
    if (!code || at + code > size) return -1;
    for (uint8_t step = 1; step < code; step++) {
      if (!data[at + step]) return -1;
      out[to++] = data[at + step];
    }
    at += code;
    if (code != 0xFF && at < size) out[to++] = 0;
  }
  return (int)to;
}

// Level 2: a packet as it goes on the wire, with a leading zero that flushes noise out of the receiver.
// Returns its length, or 0 when it is too long. `out` has room for YZ_WIRE_LIMIT bytes.
static size_t yz_packet_seal(uint8_t type, uint8_t seq, const uint8_t *payload, size_t size, uint8_t *out) {
  uint8_t raw[YZ_PACKET_LIMIT];
  if (size + 5 > YZ_PACKET_LIMIT) return 0;
  raw[0] = YZ_VERSION;
  raw[1] = type;
  raw[2] = seq;
  if (size) memcpy(raw + 3, payload, size);
  uint16_t crc = yz_crc16(raw, size + 3);
  raw[size + 3] = crc & 0xFF;
  raw[size + 4] = crc >> 8;
  out[0] = 0;
  size_t length = 1 + yz_cobs_encode(raw, size + 5, out + 1);
  out[length++] = 0;
  return length;
}

// Level 2: decodes one packet (without delimiters) in place. Returns the payload's length, or -1.
// Afterwards data[1] is the type, data[2] the seq, data + 3 the payload.
static int yz_packet_unseal(uint8_t *data, size_t size) {
  if (size > YZ_PACKET_LIMIT + 1) return -1;
  int length = yz_cobs_decode(data, size, data);
  if (length < 5 || data[0] != YZ_VERSION || yz_crc16(data, (size_t)length)) return -1;
  return length - 5;
}

#endif
