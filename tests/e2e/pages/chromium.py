"""A real Chromium, driven by the DevTools protocol over two pipes: no port, no driver, standard library only."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from tests.patience import PATIENCE_S

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--mute-audio",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    "--enable-precise-memory-info",
    "--js-flags=--expose-gc",
    "--remote-debugging-pipe",
)

WHOLE = "chromium"
ENGINE = "chromium-headless-shell"
"""The same engine of the same version without windows and their frame: a fourth of the work for each page."""

CHROMIUM = shutil.which(ENGINE) or shutil.which(WHOLE)
"""What tests of pages run in; None where there is none."""

LOOK_S = 0.25  # what one look at a page takes at most where it is let run


class Chromium:
    """One browser process. Use as a context manager; `open()` gives pages."""

    def __init__(self, binary: str = CHROMIUM or WHOLE) -> None:
        self._binary = binary
        self._next, self._lock = 0, threading.Lock()
        self._answers: dict[int, Queue[dict[str, Any]]] = {}
        self._listeners: list[Callable[[dict[str, Any]], None]] = []
        self._start()

    def _start(self) -> None:
        self._profile = tempfile.mkdtemp(prefix="yizhan-chromium-")
        out_read, self._out = os.pipe()
        self._in, in_write = os.pipe()
        # The protocol is fixed to descriptors 3 and 4; bash puts ours there (dash knows one-digit ones only).
        script = f'exec "$@" 3<&{out_read} 4>&{in_write}'
        command = ["bash", "-c", script, "bash", self._binary, *FLAGS, f"--user-data-dir={self._profile}"]
        self._process = subprocess.Popen(
            command, pass_fds=(out_read, in_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(out_read)
        os.close(in_write)
        threading.Thread(target=self._read, args=(self._in,), daemon=True, name="chromium").start()

    def __enter__(self) -> "Chromium":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.call("Browser.close", timeout_s=20)
        except (TimeoutError, OSError, RuntimeError):
            self._process.kill()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(30)
        self._clear()

    def _clear(self) -> None:
        os.close(self._out)
        shutil.rmtree(self._profile, ignore_errors=True)

    def call(
        self, method: str, session: str | None = None, timeout_s: float = PATIENCE_S, **params: Any
    ) -> dict[str, Any]:
        with self._lock:
            self._next += 1
            number = self._next
        answer: Queue[dict[str, Any]] = Queue()
        self._answers[number] = answer
        message = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self._out, json.dumps(message).encode() + b"\0")
        try:
            reply = answer.get(timeout=timeout_s)
        except Empty:
            raise TimeoutError(f"chromium did not answer {method} in {timeout_s} s") from None
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']}")
        result: dict[str, Any] = reply["result"]
        return result

    def open(
        self, url: str, width: int = 1920, height: int = 1080, scale: float = 1, mobile: bool = False, prepare: str = ""
    ) -> "Page":
        """A new page in a context of its own (no shared cookies or storage). `prepare` runs before its script."""
        if self._process.poll() is not None:  # it died, as where memory is short, and not of this test
            self._clear()
            self._start()
        context = self.call("Target.createBrowserContext")["browserContextId"]
        return self.tab(context, url, width, height, scale, mobile, prepare)

    def tab(
        self,
        context: str,
        url: str,
        width: int = 1920,
        height: int = 1080,
        scale: float = 1,
        mobile: bool = False,
        prepare: str = "",
    ) -> "Page":
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, target, context)
        page.size(width, height, scale, mobile)
        if prepare:
            page.call("Page.addScriptToEvaluateOnNewDocument", source=prepare)
        page.go(url)
        return page

    def listen(self, listener: Callable[[dict[str, Any]], None]) -> None:
        self._listeners.append(listener)

    def _read(self, pipe: int) -> None:
        buffer = b""
        while chunk := os.read(pipe, 1 << 16):
            *messages, buffer = (buffer + chunk).split(b"\0")
            for text in messages:
                message = json.loads(text)
                if "id" in message and (queue := self._answers.pop(message["id"], None)):
                    queue.put(message)
                for listener in self._listeners:
                    listener(message)
        os.close(pipe)
        for number in list(self._answers):
            self._answers.pop(number).put({"error": "the browser has ended"})


class Page:
    """One tab. `errors` gathers console errors, policy violations and uncaught exceptions."""

    def __init__(self, browser: Chromium, session: str, target: str, context: str) -> None:
        self.browser, self.session, self.target, self.context = browser, session, target, context
        self.errors: list[str] = []
        self.requests: list[str] = []
        browser.listen(self._hear)
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, timeout_s: float = PATIENCE_S, **params: Any) -> dict[str, Any]:
        return self.browser.call(method, self.session, timeout_s, **params)

    def size(self, width: int, height: int, scale: float = 1, mobile: bool = False) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile
        )

    def go(self, url: str) -> None:
        with contextlib.suppress(RuntimeError):  # it is between two documents
            self.run("window.leftBehind = true; 0")
        if "loaderId" in self.call("Page.navigate", url=url):  # else it is a place in the same document
            self.wait("!window.leftBehind && document.readyState === 'complete'")

    def run(self, script: str, timeout_s: float = PATIENCE_S) -> Any:
        """The value of an expression (or of its promise)."""
        answer = self.call("Runtime.evaluate", timeout_s, expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", str(answer)))
        return answer["result"].get("value")

    def wait(self, condition: str, timeout_s: float = PATIENCE_S) -> float:
        """Until a JavaScript condition holds, and how long that took; says what the page showed when it didn't.

        Seconds are those in which the page could run: of a look that took longer than LOOK_S, as on a machine with too
        much to do, no more is counted.
        """
        spent_s, began = 0.0, time.monotonic()
        while True:
            if self._holds(condition):
                return spent_s
            time.sleep(0.05)
            spent_s, began = spent_s + min(LOOK_S, time.monotonic() - began), time.monotonic()
            if spent_s >= timeout_s:
                break
        raise AssertionError(
            f"not within {timeout_s} s: {condition}\nerrors: {self.errors}\n{self.run('document.body.innerText')[:800]}"
        )

    def _holds(self, condition: str) -> bool:
        try:
            return bool(self.run(condition))
        except RuntimeError:
            return False  # the page is between two documents

    def offline(self, off: bool) -> None:
        self.call(
            "Network.emulateNetworkConditions", offline=off, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )

    def picture(self, path: Path, whole: bool = False) -> None:
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))

    def close(self) -> None:
        self.browser.call("Target.closeTarget", targetId=self.target)

    def _hear(self, message: dict[str, Any]) -> None:
        if message.get("sessionId") != self.session:
            return
        method, params = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.errors.append(params["exceptionDetails"].get("exception", {}).get("description", "exception"))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
