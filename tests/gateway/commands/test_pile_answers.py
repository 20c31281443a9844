"""What the trail says of a pile's answer."""

from typing import Any

import pytest

from gateway.commands import answer_in_short


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (({"status": "Accepted"}, None, None), "Accepted"), (({"status": "04C0FFEE99"}, None, None), "answered"),
        (({}, None, None), "answered"), ((["Accepted"], None, None), "answered"),
        ((None, {"code": "NotSupported"}, None), "NotSupported"), ((None, {"code": "card 04C0FFEE"}, None), "an error"),
        ((None, None, "busy"), "busy"), ((None, None, None), "no answer"),
    ],
)  # fmt: skip
def test_it_is_a_word_of_the_standard_and_no_data(answer: tuple[Any, Any, Any], word: str) -> None:
    assert answer_in_short(*answer) == word
