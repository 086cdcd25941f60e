"""Chromium without a window, told what to do over a pipe (``--remote-debugging-pipe``: JSON between zero bytes)."""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PATIENCE = 60


class Page:
    """One page, with what it complained of (`complaints`) and whatever it asked a network or a disk for (`requested`)."""

    def __init__(self, writing: int, reading: int) -> None:
        self._writing, self._reading = writing, reading
        self._rest, self._number, self._session = b"", 0, ""
        self.complaints: list[str] = []
        self.requested: list[str] = []
        target = self("Target.createTarget", url="about:blank")["targetId"]
        self._session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self(f"{domain}.enable")

    def open(self, path: Path) -> None:
        """Load the file at *path*, to its end."""
        self("Page.navigate", url=path.as_uri())
        while self.evaluate("document.readyState") != "complete" or self.evaluate("location.protocol") != "file:":
            time.sleep(0.02)

    def show(self, width: int, *, dark: bool = False, scale: int = 1) -> None:
        """Lay the page out *width* pixels wide, for somebody who likes it *dark*."""
        self("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=scale, mobile=False)
        scheme = "dark" if dark else "light"
        self("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path: Path, *, whole: bool = True) -> bytes:
        """The page as a PNG, in *path*, too."""
        picture = base64.b64decode(self("Page.captureScreenshot", captureBeyondViewport=whole, **self._clip(whole=whole))["data"])
        path.write_bytes(picture)
        return picture

    def _clip(self, *, whole: bool) -> dict[str, Any]:
        if not whole:
            return {}
        size = self("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 8000), "scale": 1}}

    def print_to(self, path: Path) -> bytes:
        """The page as a PDF, in *path*, too."""
        document = base64.b64decode(self("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"])
        path.write_bytes(document)
        return document

    def evaluate(self, expression: str) -> Any:
        """What *expression* is on the page; it is ours, the page itself may run no script."""
        return self("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def __call__(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Have *method* of the DevTools protocol done, and give its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        while True:
            said = self._next(method)
            if said.get("id") == self._number:
                assert "error" not in said, f"{method}: {said['error']}"
                return said["result"]
            self._note(said.get("method", ""), said.get("params", {}))

    def _note(self, event: str, said: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            self.requested.append(said["request"]["url"])
        elif event == "Log.entryAdded":
            self.complaints.append(said["entry"]["text"])
        elif event in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
            self.complaints.append(json.dumps(said))

    def _next(self, waiting_for: str) -> dict[str, Any]:
        deadline = time.monotonic() + _PATIENCE
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._reading], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"Chromium says nothing to {waiting_for}"
            piece = os.read(self._reading, 1 << 20)
            assert piece, f"Chromium ended at {waiting_for}"
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)


@contextmanager
def chromium(program: str, profile: Path) -> Iterator[Page]:
    """A page in a Chromium of its own, which keeps everything in *profile* and ends with it."""
    # It reads from its descriptor 3 and writes to its 4.
    its_input, ours_out = os.pipe()
    ours_in, its_output = os.pipe()
    script = f'exec "$@" 3<&{its_input} 4>&{its_output}'
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
             "--disable-background-networking", "--remote-debugging-pipe", f"--user-data-dir={profile}"]  # fmt: skip
    process = subprocess.Popen(
        ["bash", "-c", script, "chromium", program, *flags, "about:blank"],
        pass_fds=(its_input, its_output), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(profile)},
    )  # fmt: skip
    os.close(its_input)
    os.close(its_output)
    try:
        yield Page(ours_out, ours_in)
    finally:
        # Both ends closed is how it is told to end.
        os.close(ours_out)
        os.close(ours_in)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
