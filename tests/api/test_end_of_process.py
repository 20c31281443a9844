"""The end of a process in which threads still work."""

import subprocess
import sys

import pytest

WORKING = """
import sys, threading, time
from typing import Annotated
from pydantic import BeforeValidator, TypeAdapter
from api import cli

def looked_at(value):
    time.sleep(0.002)
    return value

look = TypeAdapter(Annotated[int, BeforeValidator(looked_at)])

def work():
    while True:
        look.validate_python(1)

def main(argv=None):
    for _ in range(30):
        threading.Thread(target=work, daemon=True).start()
    time.sleep(0.1)
    print("the last word")
    return STATUS

cli.main = main
cli.program()
"""


@pytest.mark.parametrize("status", [0, 3])
def test_a_process_ends_with_its_status_while_threads_are_in_native_code(status: int) -> None:
    text = WORKING.replace("STATUS", str(status))
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (status, "the last word\n", "")


def test_a_process_that_is_asked_wrongly_says_so() -> None:
    done = subprocess.run([sys.executable, "-m", "api.cli", "nothing"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "nothing" in done.stderr
