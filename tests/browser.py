"""A real browser for the tests: Chromium, JupyterLab with a notebook, and an explorer that answers without JupyterLab.

Not here: any test.
"""

import base64
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from infogan_helpers.explorer_page import SCRIPT, STATIC
from infogan_helpers.widgets import Explorer

ROOT = Path(__file__).resolve().parent.parent
SCREENSHOTS = ROOT / "build" / "screenshots"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HARMLESS = (
    *("favicon", "Failed to load resource", "net::ERR"),  # JupyterLab asks for news, network or not
    "Access to font at 'about:blank'",  # MathJax's own empty font
)
WAIT = 120_000  # milliseconds
EXPLORER = ".infogan-explorer"
ALIVE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>An explorer that is alive</title><style>{style}</style></head>
<body style="margin: 0"><main id="here" style="width: {width}px"></main>
<script type="module">{script}
const unpacked = (x) => {
  if (x?.bytes !== undefined) return new DataView(Uint8Array.from(atob(x.bytes), (c) => c.charCodeAt(0)).buffer);
  if (Array.isArray(x)) return x.map(unpacked);
  return x instanceof Object ? Object.fromEntries(Object.entries(x).map(([k, v]) => [k, unpacked(v)])) : x;
};
const packed = (x) => (x instanceof DataView ? { bytes: btoa(String.fromCharCode(...new Uint8Array(x.buffer))) } : x);
const listeners = {};
let answer = await window.kernel({}), state = unpacked(answer), changed = {};
window.sent = []; // every change, for tests
const model = {
  get: (name) => state[name],
  set: (name, value) => {
    state[name] = changed[name] = value;
    (listeners[`change:${name}`] ?? []).forEach((f) => f());
  },
  save_changes: async () => {
    const sent = Object.fromEntries(Object.entries(changed).map(([name, value]) => [name, packed(value)]));
    changed = {};
    window.sent.push(sent);
    if (window.dead) return; // a comm whose kernel is gone takes messages and says nothing
    const before = answer;
    answer = await window.kernel(sent);
    const moved = Object.keys(answer).filter((name) => JSON.stringify(answer[name]) !== JSON.stringify(before[name]));
    for (const name of moved) state[name] = unpacked(answer[name]);
    for (const name of moved) (listeners[`change:${name}`] ?? []).forEach((f) => f());
  },
  on: (event, f) => (listeners[event] ??= []).push(f),
  off: (event, f) => { listeners[event] = (listeners[event] ?? []).filter((g) => g !== f); },
};
render({ model, el: document.getElementById("here") });
</script></body></html>
"""


def what_is_missing():
    """In words, what the browser tests need and this machine lacks."""
    missing = [] if BROWSER else ["a Chromium on the path"]
    if importlib.util.find_spec("playwright") is None:
        missing.append("the Python package playwright")
    return missing


def unavailable(reason):
    """Skip a test that needs what this machine lacks; with ``INFOGAN_BROWSER=required``, as in CI, fail it."""
    if os.environ.get("INFOGAN_BROWSER") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def browser_page():
    """A page in Chromium, and a check at its end that nothing was logged as an error."""
    from playwright.sync_api import sync_playwright

    errors = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1100})
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        browser.close()
    found = [error for error in errors if not any(word in error for word in HARMLESS)]
    assert found == [], found


@contextmanager
def serve_notebook(notebook, app="jupyterlab", where="lab/tree"):
    """Address of a notebook, a ``Path``, in a JupyterLab, or in another ``app``, that serves a copy of it."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        shutil.copy(notebook, folder)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token="]
        command = [sys.executable, "-m", app, *options, f"--ServerApp.root_dir={folder}"]
        log = Path(folder, "server.log")
        with log.open("w", encoding="utf-8") as output:
            environment = os.environ | {"INFOGAN_OFFLINE": "1"}
            server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
            try:
                assert until(lambda: server.poll() is not None or answers(port), 120), log.read_text(encoding="utf-8")
                assert server.poll() is None, log.read_text(encoding="utf-8")
                yield f"http://127.0.0.1:{port}/{where}/{notebook.name}"
            finally:
                server.terminate()
                server.wait(30)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def open_and_run(page, address):
    """Open the notebook and run all its cells."""
    page.goto(address, timeout=WAIT)
    page.wait_for_selector(".jp-Notebook", timeout=WAIT)
    server = address.partition("/lab/")[0]
    assert until(lambda: kernel_states(server) == ["idle"], 60)  # run before it is there, and JupyterLab asks for one
    page.wait_for_timeout(1000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    assert until(lambda: kernel_states(server) == ["busy"], 30)
    assert until(lambda: stays_idle(server), 120)


def stays_idle(server):
    """Idle for a second: between two cells a kernel is idle for a moment, too."""
    for _ in range(20):
        if kernel_states(server) != ["idle"]:
            return False
        time.sleep(0.05)
    return True


def kernel_states(server):
    try:
        with urllib.request.urlopen(f"{server}/api/kernels") as answer:
            return [kernel["execution_state"] for kernel in json.load(answer)]
    except urllib.error.HTTPError:  # while the kernel starts
        return []


def picture(view):
    """The large picture of an explorer, the last model's, as its pixels' address."""
    return pixels(view.locator("canvas.large").last)


def pixels(canvas):
    return canvas.evaluate("canvas => canvas.toDataURL()")


def readings(view):
    return view.locator(".reads").last.evaluate("""reads => [...reads.querySelectorAll('.bar, .axis')]
        .map(row => row.getAttribute('aria-label'))""")


def raise_slider(view, name, steps):
    """Move a code's slider to the right by keyboard."""
    slider = view.get_by_role("slider", name=name, exact=True)
    slider.focus()
    for _ in range(steps):
        slider.press("ArrowRight")
    return slider


def until(change, seconds=30):
    """Wait for a condition, and say whether it came."""
    for _ in range(int(seconds * 20)):
        if change():
            return True
        time.sleep(0.05)
    return False


def find(page, kind):
    """Scroll the notebook, which is rendered piece by piece, to the explorer of one section."""
    view = page.locator(EXPLORER).filter(has=page.locator(kind))
    page.locator(".jp-Notebook").first.hover()
    for _ in range(200):
        if view.count() and view.first.get_attribute("data-drawn"):
            view.first.scroll_into_view_if_needed()
            return view.first
        page.mouse.wheel(0, 500)
        time.sleep(0.1)
    raise AssertionError(f"no explorer with {kind} was found on the page")


def packed(value):
    """A widget's state as JSON can carry it; bytes in base64."""
    if isinstance(value, (bytes, memoryview)):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {name: packed(part) for name, part in value.items()}
    return [packed(part) for part in value] if isinstance(value, (list, tuple)) else value


def alive(page, widget, width=833):
    """Show a widget in a page of its own, its kernel being this process; returns its place on the page."""
    shown = [name for name, trait in Explorer.class_traits(sync=True).items() if trait.this_class is Explorer]

    def kernel(sent):
        state = {name: base64.b64decode(v["bytes"]) if isinstance(v, dict) else v for name, v in sent.items()}
        widget.set_state(state)
        return {name: packed(getattr(widget, name)) for name in shown}

    page.expose_function("kernel", kernel)
    style = (STATIC / "explorer.css").read_text(encoding="utf-8")
    text = ALIVE.replace("{width}", str(width)).replace("{style}", style).replace("{script}", SCRIPT)
    page.route("http://explorer.test/", lambda route: route.fulfill(body=text, content_type="text/html"))
    page.goto("http://explorer.test/")
    view = page.locator(f"{EXPLORER}[data-drawn]")
    view.wait_for(timeout=WAIT)
    return view


def contrast(view, selector):
    """The least contrast of text with the page's ground, 1 to 21, after WCAG 2.2."""
    return view.evaluate("""(view, selector) => {
        const channel = (x) => (x /= 255) <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
        const light = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(channel)
            .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
        const ground = light(getComputedStyle(view).backgroundColor);
        return Math.min(...[...view.querySelectorAll(selector)].map(e => {
            const [low, high] = [light(getComputedStyle(e).color), ground].sort((a, b) => a - b);
            return (high + 0.05) / (low + 0.05);
        }));
    }""", selector)  # fmt: skip


def faults(axe, page, context=EXPLORER):
    """What axe-core finds of serious or critical impact."""
    found = axe.run(page, context=context).response["violations"]
    return {fault["id"]: [node["html"] for node in fault["nodes"]] for fault in found
            if fault["impact"] in ("serious", "critical")}  # fmt: skip
