"""What proves that a place is open, what contradicts it, and what the public hears of it when."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.opening import Judgement, Patience, Promise

MINUTE = 60_000
OPENED = 9 * 60 * MINUTE


def promise() -> Promise:
    made = Promise(Patience(120 * MINUTE, 15 * MINUTE, 5 * MINUTE))
    made.opens(OPENED)
    return made


def words(made: Promise, minute: int) -> tuple[str, str]:
    judged = made.at(OPENED + minute * MINUTE)
    return judged.proof, judged.public


def test_without_any_sign_it_is_unproved_and_nobody_is_accused() -> None:
    assert promise().at(OPENED + 600 * MINUTE) == Judgement("unproved", "unproved", None, None, None)


def test_what_is_not_open_promises_nothing() -> None:
    made = Promise(Patience())
    made.shut(True, OPENED)
    made.sign(OPENED, personal=False)
    assert made.at(OPENED + 60 * MINUTE) == Judgement("unproved", "unproved", None, None, None)


def test_a_sign_proves_for_120_minutes_and_never_backwards() -> None:
    made = promise()
    assert words(made, 9) == ("unproved", "unproved")
    made.sign(OPENED + 10 * MINUTE, personal=False)
    judged = made.at(OPENED + 10 * MINUTE)
    assert (judged.proof, judged.public, judged.proved_at) == ("proved", "proved", OPENED + 10 * MINUTE)
    assert judged.look_at == judged.proved_until == OPENED + 130 * MINUTE
    assert words(made, 129) == ("proved", "proved")
    assert words(made, 130) == ("unproved", "unproved")
    assert made.at(OPENED + 130 * MINUTE).proved_at == OPENED + 10 * MINUTE, "when it was last seen stays known"


def test_closing_ends_what_a_sign_proved() -> None:
    made = promise()
    made.sign(OPENED + MINUTE, personal=False)
    made.closes()
    made.opens(OPENED + 20 * MINUTE)
    assert words(made, 20) == ("unproved", "unproved")


def test_doors_that_are_shut_contradict_after_15_minutes_without_a_sign() -> None:
    made = promise()
    made.shut(True, OPENED - 8 * 60 * MINUTE)
    assert made.at(OPENED).look_at == OPENED + 15 * MINUTE
    assert words(made, 14) == ("unproved", "unproved")
    assert words(made, 15) == ("contradicted", "contradicted")
    made.sign(OPENED + 20 * MINUTE, personal=False)
    assert words(made, 20)[0] == "proved"
    assert words(made, 34)[0] == "proved"
    assert words(made, 35)[0] == "contradicted", "it is still shut, and nobody came for 15 minutes"
    made.shut(False, OPENED + 40 * MINUTE)
    assert words(made, 40)[0] == "proved", "what proved before still does"


def test_three_different_cards_refused_and_none_granted_contradict() -> None:
    made = promise()
    for minute, card in ((1, "a"), (2, "a"), (3, "b")):
        made.refused(card, OPENED + minute * MINUTE)
    assert words(made, 60)[0] == "unproved", "two cards may be their owners' fault"
    made.refused("c", OPENED + 61 * MINUTE)
    assert words(made, 75)[0] == "unproved"
    assert words(made, 76)[0] == "contradicted"
    made.granted(OPENED + 80 * MINUTE)
    assert words(made, 80)[0] == "proved"
    assert words(made, 100)[0] == "proved", "the refusals before it are forgiven"


def test_refusals_older_than_the_hold_say_nothing() -> None:
    made = promise()
    for minute, card in ((1, "a"), (100, "b"), (122, "c")):
        made.refused(card, OPENED + minute * MINUTE)
    assert words(made, 140)[0] == "unproved"


def test_a_person_who_can_not_come_in_contradicts_until_one_can() -> None:
    made = promise()
    made.checked(OPENED + MINUTE, enterable=False)
    assert words(made, 16)[0] == "contradicted"
    made.checked(OPENED - MINUTE, enterable=True)
    assert words(made, 17)[0] == "contradicted", "an older word changes nothing"
    made.checked(OPENED + 18 * MINUTE, enterable=True)
    made.sign(OPENED + 18 * MINUTE, personal=False)
    assert words(made, 18) == ("proved", "proved")


def test_the_public_hears_of_persons_at_the_next_tick_once_five_lie_within_the_hold() -> None:
    made = promise()
    for minute in (1, 2, 3, 4):
        made.sign(OPENED + minute * MINUTE, personal=True)
    assert words(made, 6) == ("proved", "unproved")
    made.sign(OPENED + 6 * MINUTE, personal=True)
    assert made.at(OPENED + 6 * MINUTE).look_at == OPENED + 10 * MINUTE
    assert words(made, 9) == ("proved", "unproved")
    judged = made.at(OPENED + 10 * MINUTE)
    assert (judged.public, judged.proved_at) == ("proved", OPENED + 6 * MINUTE)
    assert words(made, 125) == ("proved", "proved"), "what was told holds as long as any sign"
    assert words(made, 126) == ("unproved", "unproved")


def test_five_that_do_not_lie_within_the_hold_are_no_crowd() -> None:
    made = promise()
    for minute in (1, 40, 80, 119, 124):
        made.sign(OPENED + minute * MINUTE, personal=True)
    assert words(made, 130) == ("proved", "unproved")


signs = st.lists(
    st.tuples(st.integers(0, 700), st.sampled_from(["plain", "personal", "shut", "ajar", "a", "b", "c", "granted"])),
    max_size=40,
)


@given(signs, st.integers(0, 700))
def test_it_survives_a_restart_at_any_moment_and_a_clock_that_is_set(events: list[tuple[int, str]], cut: int) -> None:
    def tell(made: Promise, minute: int, what: str, by: int = 0) -> None:
        at = OPENED + minute * MINUTE + by
        if what in ("plain", "personal"):
            made.sign(at, personal=what == "personal")
        elif what in ("shut", "ajar"):
            made.shut(what == "shut", at)
        elif what == "granted":
            made.granted(at)
        else:
            made.refused(what, at)
        made.at(at)

    whole, restarted, shifted, by = promise(), promise(), promise(), 45 * MINUTE
    moved = done = False
    for minute, what in sorted(events, key=lambda event: event[0]):
        if minute > cut and not done:
            again = Promise(Patience(120 * MINUTE, 15 * MINUTE, 5 * MINUTE))
            again.restore(restarted.kept())
            restarted, done = again, True
            shifted.shift(by)
            moved = True
        tell(whole, minute, what)
        tell(restarted, minute, what)
        tell(shifted, minute, what, by if moved else 0)
    end = OPENED + 701 * MINUTE
    assert restarted.at(end) == whole.at(end)
    assert shifted.at(end + (by if moved else 0)).proof == whole.at(end).proof


@given(signs)
def test_nothing_changes_before_it_said_to_look_again(events: list[tuple[int, str]]) -> None:
    made = promise()
    for minute, what in sorted(events, key=lambda event: event[0]):
        at = OPENED + minute * MINUTE
        if what == "plain":
            made.sign(at, personal=False)
        elif what == "personal":
            made.sign(at, personal=True)
        elif what in ("shut", "ajar"):
            made.shut(what == "shut", at)
    now = OPENED + 700 * MINUTE
    judged = made.at(now)
    for minute in range(701, 1_200):
        then = OPENED + minute * MINUTE
        if judged.look_at is not None and then >= judged.look_at:
            judged = made.at(then)
        else:
            assert made.at(then)[:2] == judged[:2]


def test_steps_of_one_person_more_or_less_are_not_seen_below_the_crowd() -> None:
    four, three = promise(), promise()
    for minute in (1, 7, 13):
        four.sign(OPENED + minute * MINUTE, personal=True)
        three.sign(OPENED + minute * MINUTE, personal=True)
    four.sign(OPENED + 20 * MINUTE, personal=True)
    for minute in range(200):
        assert four.at(OPENED + minute * MINUTE)[1:4] == three.at(OPENED + minute * MINUTE)[1:4]


def test_a_dead_reader_goes_on_to_contradict_while_cards_are_tried_at_it() -> None:
    made = promise()
    for minute in range(0, 600, 10):
        made.refused(f"card-{minute % 70}", OPENED + minute * MINUTE)
        assert words(made, minute)[0] == ("unproved" if minute < 35 else "contradicted")
    assert words(made, 689)[0] == "contradicted"
    assert words(made, 690)[0] == "unproved", "of the last three cards one was refused two hours ago"


def test_people_behind_doors_that_do_not_move_put_them_in_doubt_over_a_closing_too() -> None:
    made = promise()
    made.shut(True, OPENED - 60 * MINUTE)
    made.sign(OPENED + MINUTE, personal=False, inside=True)
    assert words(made, 400)[0] == "unproved"
    made.closes()
    made.opens(OPENED + 500 * MINUTE)
    assert words(made, 600)[0] == "unproved"
    made.shut(False, OPENED + 600 * MINUTE)
    made.shut(True, OPENED + 601 * MINUTE)
    assert words(made, 616)[0] == "unproved", "a sensor that was silent for a while has not moved"
    made.moved()
    assert words(made, 616)[0] == "contradicted"
    made.sign(OPENED + 630 * MINUTE, personal=True)
    assert words(made, 645)[0] == "contradicted", "a door that opens is no sign of people behind it"


def test_a_crowd_that_came_just_before_a_restart_is_told_after_it() -> None:
    made = promise()
    for minute in range(5):
        made.sign(OPENED + minute * MINUTE, personal=True)
    again = promise()
    again.restore(made.kept())
    assert words(again, 5) == ("proved", "proved")
