"""The writer lives whatever the rows, the chores and the jobs do, and loses and doubles nothing."""

import logging
import random
import sqlite3
import threading
from typing import Any

import pytest

from gateway.base.mishaps import Mishaps
from gateway.core.outcome import Outcome
from gateway.model import Batch, InvariantError, Rejected
from gateway.runtime.writer import Commit, Writer
from gateway.store.alerts_reader import AlertReader
from gateway.store.base import StoreError
from gateway.store.day import Day
from gateway.store.jobs import Keep, KeepAudit
from gateway.store.reader import SqliteReader
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.world import NOON, TAKEN, batch, change, messages, refused
from tests.patience import until


@pytest.fixture
def store(tmp_path):
    made = SqliteStore(tmp_path / "data", NOON, ballast_mib=0)
    yield made
    made.close()


@pytest.fixture
def writer(store):
    made = Writer(store, lambda: None, Mishaps())
    made.start()
    yield made
    made.end(60)
    assert made.failed is None


def outcome(payloads, changes=(), rejected=()):
    made = Outcome()
    for payload in payloads:
        made.batch.append(b"yz/yanshan/seat-01/state", payload, NOON, 0)
    made.changes, made.rejected = list(changes), list(rejected)
    return made


def committed(writer, *outcomes):
    jobs = [Commit(stored_outcome, NOON, 1, [number]) for number, stored_outcome in enumerate(outcomes)]
    for job in jobs:
        writer.put(job)
    until(lambda: len(writer.done) == len(jobs) or not writer.is_alive())
    done = list(writer.done)
    writer.done.clear()
    return done


def stored(store):
    return [payload for _, payload, _, _ in messages(store.batches(0))]


def test_a_refused_message_whose_topic_and_payload_were_emptied_is_stored(store):
    store.commit(Batch(), [], [Rejected(b"", b"", NOON, "identity_number")], NOON)
    assert list(store.rejected()) == [Rejected(b"", b"", NOON, "identity_number")]


def test_one_poisoned_row_costs_itself_and_all_else_of_its_commit_is_stored(store, writer, caplog):
    payloads = [b"%d" % number for number in range(100)]
    work = outcome(payloads, [change(NOON, TAKEN)], [refused(NOON)])
    work.batch.received[37] = 1 << 70  # in no column of 64 bits
    (job,) = committed(writer, work)
    assert stored(store) == payloads[:37] + payloads[38:]
    assert [(message.payload, message.reason) for message in store.rejected()] == [
        (b"{", "not_json"),
        (b"37", "internal_error"),
    ]
    assert [message.payload for message in job.set_aside] == [b"37"]
    assert job.outcome.batch.payloads == stored(store)
    assert job.mids == [0]
    assert job.number == store.last_id
    assert sum(bool(record.exc_info) for record in caplog.records) == 1
    assert writer._mishaps.take() == [("yanshan", "struct.error")]
    assert writer.trouble is None


@pytest.mark.parametrize("at", [1 << 70, -(1 << 70)])
def test_a_change_at_an_impossible_time_costs_itself(store, writer, at):
    work = outcome([b"a"], [change(NOON, TAKEN), change(at, TAKEN)])
    (job,) = committed(writer, work)
    assert stored(store) == [b"a"]
    assert job.outcome.changes == [change(NOON, TAKEN)]
    (kept,) = store.rejected()
    assert (kept.topic, kept.reason) == (b"yanshan/seat-01", "internal_error")
    assert str(at).encode() in kept.payload


def test_a_refused_message_with_a_reason_that_is_no_text_costs_itself(store, writer):
    no_text: Any = b"bytes"
    committed(writer, outcome([b"a"], (), [refused(NOON), Rejected(b"t", b"p", NOON, no_text), refused(NOON, b"[")]))
    assert [(message.payload, message.reason) for message in store.rejected()] == [
        (b"{", "not_json"), (b"[", "not_json"), (b"p", "internal_error"),
    ]  # fmt: skip


def test_disk_trouble_is_waited_for_and_nothing_is_set_aside(store, writer, monkeypatch):
    real, left = store.commit, [3]

    def commit(*work):
        if left[0]:
            left[0] -= 1
            raise OSError(24, "Too many open files") if left[0] == 1 else StoreError("disk full", full=True)
        return real(*work)

    monkeypatch.setattr(store, "commit", commit)
    monkeypatch.setattr("gateway.runtime.writer.RETRY_S", (0.001, 0.001))
    (job,) = committed(writer, outcome([b"a", b"b"]))
    assert stored(store) == [b"a", b"b"]
    assert job.set_aside == []
    assert list(store.rejected()) == []


@pytest.mark.parametrize("seed", range(20))
def test_faults_at_random_in_every_step_lose_and_double_nothing(tmp_path, monkeypatch, seed, caplog):
    """Day.write, checkpoints, kept texts, chores and jobs each raise at random: numbers of messages stay exact."""
    caplog.set_level(logging.CRITICAL)
    chance = random.Random(seed)
    kinds = [
        sqlite3.IntegrityError("x"),
        OverflowError("x"),
        TypeError("x"),
        KeyError("x"),
        StoreError("x"),
        OSError(24, "x"),
    ]

    def failing(work):
        def inner(*values, **named):
            if chance.random() < 0.3:
                raise chance.choice(kinds)
            return work(*values, **named)

        return inner

    monkeypatch.setattr("gateway.runtime.writer.RETRY_S", (0.0001, 0.0001))
    store = SqliteStore(tmp_path / "data", NOON, ballast_mib=0)
    for owner, name in (
        (Day, "write"),
        (store, "checkpoint_all"),
        (store, "tidy"),
        (store, "write"),
    ):
        monkeypatch.setattr(owner, name, failing(getattr(owner, name)))
    writer = Writer(store, lambda: None)
    writer.chores.append(failing(lambda _now: False))
    writer.start()
    works = []
    for number in range(12):
        work = Outcome()
        work.batch = batch(number * 20, 20, NOON)
        work.kept = {"overrides": b"{}"}
        works.append(work)
        writer.write([KeepAudit(NOON, "li", "x", "y")], failing(lambda _error: None))
    sent = [payload for work in works for payload in work.batch.payloads]
    done = committed(writer, *works)
    assert writer.end(60)
    assert writer.failed is None
    monkeypatch.undo()
    store.close()
    again = SqliteStore(tmp_path / "data", NOON, ballast_mib=0)
    kept = stored(again) + [message.payload for message in again.rejected()]
    again.close()
    assert sorted(kept) == sorted(sent)
    assert sorted(kept) == sorted(
        [payload for job in done for payload in job.outcome.batch.payloads]
        + [message.payload for job in done for message in job.set_aside]
    )
    reader = SqliteReader(tmp_path / "data")
    numbers = [reading.id for reading in reader.readings()]
    reader.close()
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("step", ["commit", "job", "chore"])
def test_a_broken_promise_of_ours_ends_the_writer_at_every_step(store, monkeypatch, step):
    def breaks(*_):
        raise InvariantError("a promise of ours does not hold")

    writer = Writer(store, lambda: None)
    if step == "commit":
        monkeypatch.setattr(store, "commit", breaks)
        writer.put(Commit(outcome([b"{}"]), NOON, 1, [0]))
    elif step == "job":
        monkeypatch.setattr(store, "write", breaks)
        writer.write([KeepAudit(NOON, "li", "x", "y")])
    else:
        writer.chores.append(breaks)
    writer.start()
    writer.join(60)
    assert isinstance(writer.failed, InvariantError)
    assert not writer.done


def audited(store):
    reader = AlertReader(store.folder)
    lines = [what for _, _, what, _, _ in reader.audit()]
    reader.close()
    return lines


def line(what, at=NOON):
    return KeepAudit(at, "li", what, "seat-01")


def test_a_job_that_can_not_be_stored_costs_itself_is_counted_and_whoever_asked_is_told(store, writer):
    told, ended = [], threading.Event()
    writer.write([line("first"), line("never", 1 << 70), line("last")], told.append)
    writer.write([line("later")], lambda error: (told.append(error), ended.set()))
    assert ended.wait(60)
    assert [type(error) for error in told] == [OverflowError, type(None)]
    assert audited(store) == ["later", "last", "first"]
    assert writer.failures == {"KeepAudit": 1}
    assert writer._mishaps.take() == [(None, "OverflowError")]


def test_who_is_told_and_fails_costs_itself(store, writer):
    ended = threading.Event()
    writer.write([line("a")], lambda _error: 1 / 0)
    writer.write([line("b")], lambda _error: ended.set())
    assert ended.wait(60)
    assert audited(store) == ["b", "a"]
    assert writer.failures == {"telling of stored jobs": 1}
    assert writer._mishaps.take() == [(None, "ZeroDivisionError")]


def in_trouble(store, monkeypatch, times):
    real, left = store.write, [times]

    def write(jobs):
        if left[0]:
            left[0] -= 1
            raise StoreError("disk full", full=True)
        real(jobs)

    monkeypatch.setattr(store, "write", write)
    monkeypatch.setattr("gateway.runtime.writer.RETRY_S", (0.001, 0.001))


def test_jobs_wait_while_the_store_is_in_trouble(store, writer, monkeypatch):
    in_trouble(store, monkeypatch, 5)
    told, ended = [], threading.Event()
    writer.write([line("a"), line("b")], lambda error: (told.append(error), ended.set()))
    assert ended.wait(60)
    assert told == [None]
    assert audited(store) == ["b", "a"]
    assert not writer.failures


def test_whoever_is_not_patient_is_told_of_the_trouble_and_nothing_is_stored(store, writer, monkeypatch):
    in_trouble(store, monkeypatch, 1)
    told, ended = [], threading.Event()
    writer.write([line("a")], told.append, patient=False)
    writer.write([line("b")], lambda _error: ended.set())
    assert ended.wait(60)
    assert [str(error) for error in told] == ["disk full"]
    assert audited(store) == ["b"]


def test_jobs_are_done_in_order_between_commits(store, writer):
    ended = threading.Event()
    for number in range(20):
        writer.write([Keep("last", b"%d" % number)])
        writer.put(Commit(outcome([b"%d" % number]), NOON, 1, [number]))
    writer.write([], lambda _error: ended.set())
    assert ended.wait(60)
    assert store.kept("last") == b"19"
    assert stored(store) == [b"%d" % number for number in range(20)]


def test_a_chore_that_raises_is_logged_once_and_the_others_have_their_turn(store, caplog):
    writer, turns = Writer(store, lambda: None), []
    writer.chores += [lambda _now: bool(1 / 0), lambda now: bool(turns.append(now))]
    for _ in range(5):
        writer._upkeep()
    assert len(turns) == 5
    assert writer._mishaps.count == 5
    assert sum(bool(record.exc_info) for record in caplog.records) == 1
    assert writer.upkeep_trouble is None


def test_a_damaged_file_found_by_the_background_work_is_trouble_until_it_is_over(store):
    writer, damaged = Writer(store, lambda: None), [True]

    def chore(_now):
        if damaged[0]:
            raise StoreError("x.day.db: database disk image is malformed", damaged=True)
        return False

    writer.chores.append(chore)
    writer._upkeep()
    assert writer.upkeep_trouble == "x.day.db: database disk image is malformed"
    damaged[0] = False
    writer._upkeep()
    assert writer.upkeep_trouble is None
