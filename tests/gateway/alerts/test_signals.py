"""Conditions over signals, and what must be true of the rest of the house for one to be asked at all."""

import pytest

from config.kinds import SPECS
from gateway.alerting.facts import ASKED
from gateway.alerts.kinds import KINDS as ALERT_KINDS
from gateway.alerts.signals import CONDITIONS, Condition
from gateway.kinds import KINDS
from gateway.model import Resource


def test_a_kind_whose_signals_may_be_alerts_is_watched_and_no_other() -> None:
    asked = {condition.of for condition in CONDITIONS if condition.of is not None}
    assert {name for name, rule in KINDS.items() if rule.WATCHED} == asked, "set WATCHED in gateway/kinds"


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.kind)
def test_a_condition_asks_a_signal_that_is_said_and_kept(condition: Condition) -> None:
    assert condition.kind in ALERT_KINDS
    if condition.of is None:
        assert condition.signal == "battery_pct", "the only signal of all kinds that is looked at"
        return
    assert condition.signal in {signal.name for signal in SPECS[condition.of].signals}
    fresh = KINDS[condition.of].Value(Resource("yanshan", "hall", "thing", condition.of, "thing"))
    reads = dict(ASKED[condition.of])
    assert reads[condition.signal](fresh) is None, "what was never said is none"
