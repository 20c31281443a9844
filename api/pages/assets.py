"""The files under static/: read once, compressed once, served under a URL that names their build."""

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from api.pages import bundles, kinds

STATIC = Path(__file__).parent / "static"
_SHEETS = re.compile(r"page/([\w+-]+)\.css")
_BUNDLE = re.compile(r"page/([\w+-]+)(\.js|\.css)")
# What is written for readers of the source: whole lines of script, so that no string is taken for a comment, and types.
_COMMENTS = {
    ".js": re.compile(r"^[ \t]*//.*$|/\*\*(?:[^*]|\*(?!/))*\*/ ?", re.MULTILINE),
    ".css": re.compile(r"/\*.*?\*/", re.DOTALL),
}
_GAPS = re.compile(r"""("[^"]*"|'[^']*')|[ \t]*([{};,])[ \t]*""")  # of style; what stands in quotes stays
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
# .js must not depend on what the machine's own table says
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    gzipped: bytes
    media_type: str


class Assets:
    """`build` is a hash over every file and template: a page of another build reloads itself.

    `page/phone.js` is js/phone.js with all that it stands on, `page/tokens+phone.css` those two sheets; made when first
    asked for (`api/pages/bundles`).
    """

    def __init__(self, root: Path = STATIC, also: Path = Path(__file__).parent / "templates") -> None:
        files = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if path.is_file()}
        self.files = {name: _asset(path) for name, path in files.items()}
        self.files[kinds.NAME] = pack(kinds.script(), TYPES[".js"])
        digest = hashlib.sha256()
        for name, asset in self.files.items():
            digest.update(name.encode() + b"\0" + asset.body)
        sheets = set[str]()
        for path in sorted(also.rglob("*.html")):
            digest.update(path.read_bytes())
            sheets |= set(_SHEETS.findall(path.read_text("utf-8")))
        self._sheets = frozenset(sheets)  # not any that somebody may think of
        self._bundles: dict[str, Asset] = {}
        self.build = digest.hexdigest()[:12]

    def find(self, name: str) -> Asset | None:
        """A file by its path below static/, or a bundle. BundleError: its sources can't be joined."""
        return self.files.get(name) or self._bundles.get(name) or self._bundle(name)

    def sheets(self, names: str) -> str:
        """Style sheets joined, for a style element: `tokens+phone`."""
        return bundles.style(names, self.text)

    def text(self, name: str) -> str:
        """The text of a file. KeyError where there is no such file."""
        return self.files[name].body.decode()

    def _bundle(self, name: str) -> Asset | None:
        match = _BUNDLE.fullmatch(name)
        if match is None:
            return None
        part, suffix = match[1], match[2]
        if suffix == ".js" and f"js/{part}.js" in self.files:
            text = bundles.script(part, self.text)
        elif suffix == ".css" and part in self._sheets:
            text = bundles.style(part, self.text)
        else:
            return None
        return self._bundles.setdefault(name, pack(text.encode(), TYPES[suffix]))

    def serve(self, request: Request, build: str, name: str) -> Response:
        """One file; for ever if its URL names this build, else only for now (a page from before an update)."""
        asset = self.find(name)
        if asset is None:
            return Response("no such file\n", 404, media_type="text/plain")
        age = "public, max-age=31536000, immutable" if build == self.build else "no-store"
        return compressed(request, asset, {"cache-control": age})


@cache
def of_this_build() -> Assets:
    """The files that came with the program, read and compressed once a process."""
    return Assets()


def compressed(request: Request, asset: Asset, headers: dict[str, str]) -> Response:
    headers = headers | {"vary": "accept-encoding", "x-content-type-options": "nosniff"}
    if "gzip" in request.headers.get("accept-encoding", "") and not fetched_by_another_site(request):
        return Response(asset.gzipped, media_type=asset.media_type, headers=headers | {"content-encoding": "gzip"})
    return Response(asset.body, media_type=asset.media_type, headers=headers)


def fetched_by_another_site(request: Request) -> bool:
    """Whether a page of somebody else asks behind its reader's back: from the length of what is compressed it could
    learn what stands in it (BREACH). Who follows a link from there asks himself."""
    site, mode = request.headers.get("sec-fetch-site"), request.headers.get("sec-fetch-mode")
    if site is not None:
        return site == "cross-site" and mode != "navigate"
    referer = request.headers.get("referer")
    return referer is not None and urlsplit(referer).netloc != request.url.netloc


def pack(body: bytes, media_type: str) -> Asset:
    return Asset(body, gzip.compress(body, 9, mtime=0), media_type)


def _asset(path: Path) -> Asset:
    guessed = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return pack(_lean(path), TYPES.get(path.suffix, guessed))


def _lean(path: Path) -> bytes:
    """The file as a browser needs it: its lines where they were, without indentation, comments, and gaps in styles."""
    comments = _COMMENTS.get(path.suffix)
    if comments is None:
        return path.read_bytes()
    text = comments.sub(lambda comment: "\n" * comment[0].count("\n"), path.read_text("utf-8"))
    text = _INDENT.sub("", text)
    return (_GAPS.sub(r"\1\2", text) if path.suffix == ".css" else text).encode()
