"""Every route that changes something, or takes personal data out, says which line of the audit trail it leaves."""

import re
from pathlib import Path

from tests.api.conftest import House
from tests.api.test_matrix import routes_of

ROOT = Path(__file__).parents[2]
DEED = "a deed: gateway/alerting/desk.py"
# The word of the line (`what`), as the code writes it, or DEED where the gateway carries it out as one of staff.
LINES = {
    ("DELETE", "/api/v1/sessions"): "session_ended",
    ("DELETE", "/api/v1/sessions/{session}"): "session_ended",
    ("DELETE", "/api/v1/setup/keys/{key}"): "key_revoked",
    ("DELETE", "/api/v1/subscriptions/{subscription}"): "unsubscribed",
    ("DELETE", "/ocpi/2.2.1/credentials"): "partner_left",
    ("GET", "/api/v1/discover"): "discovered",
    ("GET", "/api/v1/stations/{station}/checks"): "checks_exported",
    ("POST", "/a/{token}"): DEED,
    ("GET", "/login/{provider}/back"): "logged_in",
    ("POST", "/account"): "session_ended",
    ("POST", "/account/passkeys"): "passkey_added",
    ("POST", "/login/passkey"): "logged_in",
    ("POST", "/api/v1/alerts/{alert}/acknowledge"): DEED,
    ("POST", "/api/v1/alerts/{alert}/close"): DEED,
    ("POST", "/api/v1/alerts/{alert}/comment"): DEED,
    ("POST", "/api/v1/alerts/{alert}/mute"): DEED,
    ("POST", "/api/v1/alerts/{alert}/undo"): DEED,
    ("POST", "/api/v1/config/changes"): "configuration_saved",
    ("POST", "/api/v1/config/versions/{n}/restore"): "configuration_saved",
    ("POST", "/api/v1/deliveries/{delivery}/retry"): DEED,
    ("POST", "/api/v1/orders"): DEED,
    ("POST", "/api/v1/orders/{order}/accept"): DEED,
    ("POST", "/api/v1/orders/{order}/done"): DEED,
    ("POST", "/api/v1/orders/{order}/undo"): DEED,
    ("POST", "/api/v1/orders/{order}/verify"): DEED,
    ("POST", "/api/v1/piles/{charge_point}/calls"): "pile_call",
    ("POST", "/api/v1/setup/channels/test"): "channel_tried",
    ("POST", "/api/v1/setup/keys"): "key_created",
    ("POST", "/api/v1/setup/secrets"): "secret_kept",
    ("POST", "/api/v1/stations/{station}/checks"): "check",
    ("POST", "/api/v1/stations/{station}/piles/{device}"): "pile_call",
    ("POST", "/api/v1/stations/{station}/reports"): DEED,
    ("POST", "/api/v1/stations/{station}/wishes/{wish}/{deed}"): "wish_{deed}",
    ("POST", "/api/v1/subscriptions"): "subscribed",
    ("POST", "/api/v1/subscriptions/{subscription}/rotate"): "secret_rotated",
    ("POST", "/c/{token}"): "check",
    ("POST", "/login"): "logged_in",
    ("POST", "/logout"): "logged_out",
    ("POST", "/ocpi/2.2.1/credentials"): "partner_registered",
    ("POST", "/setup/enter"): "logged_in",
    ("POST", "/wishes"): "wish_{deed}",
    ("PUT", "/api/v1/partner/override"): "override",
    ("PUT", "/api/v1/stations/{station}/checks/{id}/photo"): "photo_kept",
    ("PUT", "/api/v1/stations/{station}/override"): "override",
    ("PUT", "/ocpi/2.2.1/credentials"): "partner_changed",
}
# What changes nothing that anybody answers for, with the reason.
WITHOUT = {
    ("POST", "/api/v1/stations/{station}/tally"): "one more in a count of visitors; nobody is known",
    ("POST", "/api/v1/stations/{station}/wishes"): "a resident's wish; nobody is known",
    ("POST", "/m/{station}/wish"): "the same by a form",
    ("POST", "/account/passkeys/options"): "a challenge; what comes of it has its line",
    ("POST", "/login/passkey/options"): "the same",
}
# Every other GET shows, and changes nothing; that none of them is missing here is for whoever adds one to see.
SHOWS = re.compile(r"^/(api/v1/|feeds/|ocpi/|setup|static/|screen/|stations/|login/|m|p/|a/|c/|[a-z.]*$)")


def test_a_route_that_changes_something_is_in_the_list_of_the_trail(house: House) -> None:
    changing = {(method, path) for method, path in routes_of(house) if method != "GET"}
    listed = {route for route in LINES | WITHOUT if route[0] != "GET"}
    assert changing == listed, "each route that changes something is in LINES, or in WITHOUT with the reason"


def test_a_route_that_shows_is_of_a_known_kind(house: House) -> None:
    assert [path for method, path in routes_of(house) if method == "GET" and not SHOWS.match(path)] == []


def test_every_word_of_the_list_is_written_somewhere() -> None:
    code = "\n".join(path.read_text("utf-8") for room in ("api", "gateway") for path in (ROOT / room).rglob("*.py"))
    assert [word for word in {*LINES.values()} - {DEED} if f'"{word}"' not in code] == []
