"""A seat with a presence sensor on one pin (ESP32, Raspberry Pi Pico): boards run this file at power-on."""

# mypy: ignore-errors
import time

import machine
import yizhan

DEVICE = "seat-01"  # the name in the configuration of the station
SENSOR_PIN = 4
HOLD_MS = 2000  # a change counts when it lasted so long

uart = machine.UART(1, baudrate=yizhan.BAUD, tx=17, rx=16)
sensor = machine.Pin(SENSOR_PIN, machine.Pin.IN)
link = yizhan.Link(DEVICE, "seat-1.0", uart.write, time.ticks_ms)
link.on_poll = lambda: link.state(occ=shown)

shown = sensor.value()
changed_at = None
link.state(occ=shown)

while True:
    if sensor.value() == shown:
        changed_at = None
    elif changed_at is None:
        changed_at = time.ticks_ms()
    elif time.ticks_diff(time.ticks_ms(), changed_at) >= HOLD_MS:
        shown, changed_at = sensor.value(), None
        link.state(occ=shown)
    if link.beat_due():
        link.state(occ=shown)
    waiting = uart.any()
    if waiting:
        link.hear(uart.read(waiting))
    link.tick()
    time.sleep_ms(20)
