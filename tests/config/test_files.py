"""Small files are read by one function; who reads in another way stands here with the reason."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from config.files import UnusableFileError, read_bytes, read_secret, read_text

SMALL_BYTES = 65_536


ROOT = Path(__file__).parents[2]
PACKAGES = ("config", "gateway", "firmware_bridge", "api")
READERS = frozenset({"read_text", "read_bytes"})
OTHERWISE: dict[str, int] = {
    # our own files, installed with the program
    "api/pages/__init__.py": 1,
    "api/pages/account.py": 1,
    "api/pages/acknowledge.py": 1,
    "api/pages/assets.py": 4,
    "api/pages/boxes.py": 1,
    "api/pages/busy.py": 1,
    "api/pages/checks.py": 1,
    "api/pages/compare.py": 1,
    "api/pages/promises.py": 1,
    "api/pages/sheet.py": 1,
    "api/pages/wishes.py": 1,
    "api/pages/wordlist.py": 1,
    # pictures that the API itself wrote, of bounded size
    "api/photos.py": 2,
    "api/routes/docs.py": 1,
    "api/routes/report.py": 1,
    "firmware_bridge/emulator/day.py": 1,
    "firmware_bridge/emulator/stations.py": 1,
    "gateway/store/files.py": 1,
    # streams of any length, read line by line
    "api/commands/import_.py": 1,
    "api/commands/replay.py": 1,
    # files of a store, sealed and opened piece by piece
    "api/backups/copying.py": 2,
    "api/backups/s3.py": 1,
    "api/backups/sealed.py": 1,
    # the script of its tables, which comes with the program
    "gateway/store/replica/postgres.py": 1,
    "gateway/store/replica/shelf.py": 1,  # a store's file, piece by piece
    # calendars have an encoding and a bound of their own
    "gateway/calendars/feeds.py": 1,
    # one byte of a database
    "gateway/store/days.py": 1,
    # reads under the lock what it is about to make
    "gateway/notify/links.py": 1,
}


def reads_in(path: Path) -> int:
    """How often it reads a file itself: `x.read_text()`, `x.read_bytes()`, `open` that is not for writing alone."""
    count = 0
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in READERS:
            count += isinstance(node.func, ast.Attribute)
        elif name in ("open", "fdopen"):
            modes = [
                argument.value
                for argument in node.args
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            ]
            count += any(mode in ("r", "rb", "r+b", "rt", "r+") for mode in modes)
    return count


def test_no_other_code_reads_a_small_file_itself() -> None:
    reads = Counter[str]()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if name != "config/files.py" and "firmware_bridge/firmware/" not in name:
                reads[name] += reads_in(path)
    assert reads["gateway/store/files.py"] == 1, "reads are seen"
    mend = "read it by config.files (read_text, read_bytes, read_secret), or count it in OTHERWISE with the reason"
    assert reads - Counter(OTHERWISE) == Counter(), mend


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n"])
def test_a_secret_is_what_stands_on_its_line_however_it_was_saved(tmp_path: Path, mark: bytes, end: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(mark + "密钥 key ".encode() + end)
    assert read_secret(path, "store.influx.token_file") == "密钥 key "


@pytest.mark.parametrize(
    ("content", "what", "mend"),
    [
        (None, "can't be read (No such file or directory)", "correct the path or the rights"),
        (b"x" * (SMALL_BYTES + 1), "is larger than 65536 bytes", "is it the right file?"),
        ("geheim".encode("utf-16"), "is UTF-16", "save it as UTF-8"),
        (b"geheim\xff", "is not UTF-8 at byte 6", "save it as UTF-8"),
        (b"\n", "is empty", "write the secret into it"),
        (b"\xef\xbb\xbf\r\n", "is empty", "write the secret into it"),
        (b"geheim\nalso", "has more than one line", "leave only the secret in it"),
        (b"geheim\0", "holds", "save it as plain text"),
    ],
)
def test_what_is_no_secret_names_the_option_the_file_and_the_mend(
    tmp_path: Path, content: bytes | None, what: str, mend: str
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnusableFileError) as refused:
        read_secret(path, "mqtt.password_file")
    text = str(refused.value)
    assert text.startswith(f"mqtt.password_file: {path} {what}")
    assert text.endswith(mend)
    assert "geheim" not in text
    assert refused.value.missing is (content is None)


def test_a_file_is_read_no_further_than_its_bound() -> None:
    """One without an end, too."""
    with pytest.raises(UnusableFileError, match="larger than 1000 bytes"):
        read_bytes(Path("/dev/zero"), "x", 1_000)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnusableFileError, match="Is a directory"):
        read_text(tmp_path, "x")
