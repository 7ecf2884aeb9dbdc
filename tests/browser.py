"""A headless Chromium, driven by chromedriver over its own protocol: HTTP and JSON, no package."""

import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
MISSING = None if CHROMIUM and DRIVER else "no chromium and chromedriver on this machine"
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb",
)  # fmt: skip
MARKS = [pytest.mark.browser, pytest.mark.skipif(MISSING is not None, reason=str(MISSING))]
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Browser:
    """One window; closes with the context."""

    def __init__(self, width=1280, height=900):
        self.profile = tempfile.mkdtemp()
        self.process = subprocess.Popen(
            [DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.base = f"http://127.0.0.1:{self._port()}"
        options = {
            "binary": CHROMIUM,
            "args": [*_FLAGS, f"--user-data-dir={self.profile}"],
        }
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        try:
            made = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
            self.session = f"/session/{made['sessionId']}"
            self.width, self.height = width, height
            self.fresh()
        except BaseException:
            self._end()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._call("DELETE", self.session)
        finally:
            self._end()

    def fresh(self):
        """Show nothing, in light, in the first size; forget messages and requests."""
        self.open("about:blank")
        self.size(self.width, self.height)
        self.dark(False)
        self.console(), self.requests()

    def open(self, address):
        self.post("/url", {"url": address})

    def script(self, code, *arguments):
        """Run JavaScript with `return`; what it returns."""
        return self.post("/execute/sync", {"script": code, "args": list(arguments)})

    def until(self, code, seconds=20.0):
        """Wait for JavaScript that returns something true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = self.script(code)
            if value:
                return value
            time.sleep(0.05)
        raise AssertionError(f"still not true after {seconds} s: {code}")

    def click(self, x, y):
        """Click at pixels of the window."""
        moves = [
            {"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y)},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self.post("/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": moves}]})

    def twice(self, x, y):
        """Click twice at once at pixels of the window."""
        press = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        move = {"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y)}
        actions = [{"type": "pointer", "id": "mouse", "actions": [move, *press, *press]}]
        self.post("/actions", {"actions": actions})

    def drag(self, start, end):
        """Press at pixels of the window, move in four steps, and let go."""
        spots = [
            [round(a + (b - a) * k / 4) for a, b in zip(start, end, strict=True)] for k in range(5)
        ]
        moves = [{"type": "pointerMove", "duration": 0, "x": x, "y": y} for x, y in spots]
        down, up = {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}
        actions = [moves[0], down, *moves[1:], up]
        self.post("/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]})

    def wheel(self, x, y, far):
        """Turn the wheel by pixels; up is negative."""
        turn = {"type": "scroll", "x": round(x), "y": round(y), "deltaX": 0, "deltaY": far}
        turn |= {"duration": 0, "origin": "viewport"}
        self.post("/actions", {"actions": [{"type": "wheel", "id": "wheel", "actions": [turn]}]})

    def pinch(self, before, after):
        """Put two fingers on pixels of the window, move both, and let go."""
        self.command("Emulation.setTouchEmulationEnabled", {"enabled": True})
        for kind, spots in (("Start", before), ("Move", after), ("End", [])):
            points = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(spots)]
            self.command(
                "Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points}
            )
        self.command("Emulation.setTouchEmulationEnabled", {"enabled": False})

    def click_in(self, selector, across=0.5, down=0.5):
        """Click a share of the way across and down an element, once it is in sight."""
        frame = self.script(
            "const e = document.querySelector(arguments[0]);"
            "e.scrollIntoView({block: 'center', behavior: 'instant'});"
            "const f = e.getBoundingClientRect(); return [f.x, f.y, f.width, f.height]",
            selector,
        )
        self.click(frame[0] + across * frame[2], frame[1] + down * frame[3])

    def keys(self, text):
        """Press keys, one after the other."""
        actions = [
            {"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")
        ]  # fmt: skip
        self.post("/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def size(self, width, height, mobile=False):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        self.command("Emulation.setDeviceMetricsOverride", metrics)

    def dark(self, on):
        feature = {"name": "prefers-color-scheme", "value": "dark" if on else "light"}
        self.command("Emulation.setEmulatedMedia", {"features": [feature]})

    def command(self, name, parameters):
        return self.post("/goog/cdp/execute", {"cmd": name, "params": parameters})

    def console(self):
        """Messages since the last call."""
        return [entry["message"] for entry in self.post("/se/log", {"type": "browser"})]

    def requests(self):
        """Addresses that were asked for since the last call."""
        entries = self.post("/se/log", {"type": "performance"})
        events = [json.loads(entry["message"])["message"] for entry in entries]
        sent = [e for e in events if e["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def screenshot(self, path, whole=False):
        if whole:
            height = self.script("return document.documentElement.scrollHeight")
            width = self.script("return window.innerWidth")
            self.size(width, height)
            time.sleep(0.3)
        Path(path).write_bytes(base64.b64decode(self._call("GET", f"{self.session}/screenshot")))

    def post(self, path, body):
        return self._call("POST", self.session + path, body)

    def _call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with _DIRECT.open(request, timeout=60) as response:
                return json.loads(response.read())["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error

    def _port(self):
        for line in self.process.stdout:
            if "started successfully on port" in line:
                return int(line.rsplit("port", 1)[1].strip(" .\n"))
        raise AssertionError("chromedriver did not start")

    def _end(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.process.stdout.close()
        shutil.rmtree(self.profile, ignore_errors=True)


@contextmanager
def visiting(window, address, ready, *, alone):
    """Open a page in a fresh window; at the end nothing was wrong and nobody else was asked.

    Args:
        window: The window.
        address: Of the page.
        ready: JavaScript that returns something true once the page is there.
        alone: Whether nothing but the page itself may have been asked for.
    """
    window.fresh()
    window.open(address)
    window.until(ready)
    yield window
    assert window.console() == []
    asked = window.requests()
    assert asked == [address] if alone else asked
    assert all(each.startswith(address) for each in asked)
