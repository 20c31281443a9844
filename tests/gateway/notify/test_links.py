from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.notify.links import BadLinkError, key_in, read, token

KEY = b"k" * 32
TOKEN = token(KEY, "a1b2", "a1b2:opened:1:duty", 2_000_000)


def test_our_own_link_is_read_back_and_the_same_delivery_has_the_same() -> None:
    grant = read(KEY, TOKEN, 1_999_999)
    assert (grant.alert, grant.expires_at) == ("a1b2", 2_000_000)
    assert token(KEY, "a1b2", "a1b2:opened:1:duty", 2_000_000) == TOKEN
    assert read(KEY, token(KEY, "a1b2", "other", 2_000_000), 0).id != grant.id


def test_an_expired_link_is_refused() -> None:
    with pytest.raises(BadLinkError, match="expired"):
        read(KEY, TOKEN, 2_000_000)


def test_another_installations_link_is_refused() -> None:
    with pytest.raises(BadLinkError, match="not ours"):
        read(b"x" * 32, TOKEN, 0)


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("ABCxyz019-_."))
def test_a_link_changed_anywhere_is_refused(at: int, letter: str) -> None:
    changed = TOKEN[:at] + letter + TOKEN[at + 1 :]
    if changed != TOKEN:
        with pytest.raises(BadLinkError):
            read(KEY, changed, 0)


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(BadLinkError):
        read(KEY, text, 0)


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    key = key_in(tmp_path)
    assert key_in(tmp_path) == key
    assert len(key) == 32
    assert (tmp_path / "link.key").stat().st_mode & 0o077 == 0


def test_shards_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as many:
        assert len(set(many.map(key_in, [tmp_path] * 64))) == 1
