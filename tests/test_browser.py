"""The explorer in a real browser: notebook 05 in JupyterLab with a kernel, and the exported page from disk without one.

Skipped where there is no Chromium or no playwright; with ``INFOGAN_BROWSER=required``, as in CI, that is a failure.
Screenshots land in ``build/screenshots``.
"""

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

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = "05_latent_traversals.ipynb"
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
HARMLESS = ("favicon", "Failed to load resource", "net::ERR")  # JupyterLab asks for news, network or not
WAIT = 120_000  # milliseconds
EXPLORER = ".infogan-explorer"


def what_is_missing():
    missing = [] if BROWSER else ["a Chromium on the path"]
    if importlib.util.find_spec("playwright") is None:
        missing.append("the Python package playwright")
    return missing


@pytest.fixture(scope="module", autouse=True)
def _needed():
    if missing := what_is_missing():
        reason = f"the browser test needs {' and '.join(missing)}"
        if os.environ.get("INFOGAN_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)


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
    assert [error for error in errors if not any(word in error for word in HARMLESS)] == []


@pytest.fixture
def page():
    with browser_page() as page:
        yield page


@contextmanager
def serve_notebook():
    """Address of the notebook in a JupyterLab that serves a copy of it."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        shutil.copy(ROOT / "notebooks" / NOTEBOOK, folder)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token="]
        command = [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={folder}"]
        log = Path(folder, "server.log")
        with log.open("w", encoding="utf-8") as output:
            environment = os.environ | {"INFOGAN_OFFLINE": "1"}
            server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
            try:
                assert until(lambda: server.poll() is not None or answers(port), 120), log.read_text(encoding="utf-8")
                assert server.poll() is None, log.read_text(encoding="utf-8")
                yield f"http://127.0.0.1:{port}/lab/tree/{NOTEBOOK}"
            finally:
                server.terminate()
                server.wait(30)


@pytest.fixture(scope="module")
def lab():
    with serve_notebook() as address:
        yield address


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


def drag(view, name):
    """Pull a code's slider to and fro, an event every two milliseconds, as no hand can; returns where it ends."""
    return view.get_by_role("slider", name=name, exact=True).evaluate("""async input => {
        for (let i = 0; i < 400; i++) {
            input.value = 1.5 * Math.sin(i / 30);
            input.dispatchEvent(new Event("input", { bubbles: true }));
            await new Promise(resolve => setTimeout(resolve, 2));
        }
        return Number(input.value);
    }""")


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


def draw_a_seven(page, canvas):
    """One stroke of the mouse."""
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 80, box["y"] + 60)
    page.mouse.down()
    for x, y in ((190, 60), (180, 120), (140, 230)):
        page.mouse.move(box["x"] + x, box["y"] + y, steps=8)
    page.mouse.up()


def test_notebook_05_in_jupyterlab(lab, page):
    open_and_run(page, lab)
    view = find(page, ".thumbnails")
    before, read = picture(view), readings(view)
    slider = raise_slider(view, "c2", 15)
    assert until(lambda: picture(view) != before)
    assert until(lambda: readings(view) != read)
    assert until(lambda: "continuous=[1.5, 0.0]" in view.locator(".line").inner_text())
    assert slider.get_attribute("aria-valuetext") == "+1.50, outside the prior"
    view.screenshot(path=SCREENSHOTS / "lab_slider.png")

    drawn, last = int(view.get_attribute("data-drawn")), float(drag(view, "c2"))
    assert until(lambda: f"continuous=[{last}, 0.0]" in view.locator(".line").inner_text(), 3)
    assert int(view.get_attribute("data-drawn")) < drawn + 300  # frames that no longer mattered were left out
    settled = picture(view)
    page.wait_for_timeout(500)
    assert picture(view) == settled

    before = picture(view)
    view.get_by_role("radio", name="c1 = 3").click()
    assert until(lambda: picture(view) != before)
    assert until(lambda: view.get_by_role("radio", name="c1 = 3").get_attribute("aria-checked") == "true")
    assert "c1 = 3" in view.locator("canvas.large").get_attribute("aria-label")
    view.get_by_role("radio", name="c1 = 3").press("ArrowRight")
    assert until(lambda: view.get_by_role("radio", name="c1 = 4").get_attribute("aria-checked") == "true")

    before = picture(view)
    view.get_by_role("button", name="new noise").click()
    assert until(lambda: picture(view) != before)
    before = picture(view)
    view.get_by_role("button", name="sweep c3").click()
    assert until(lambda: picture(view) != before)
    view.get_by_role("button", name="sweep c3").click()
    view.get_by_role("button", name="reset").click()
    assert until(lambda: "continuous=[0.0, 0.0], seeds=(1, 2)" in view.locator(".line").inner_text())
    view.screenshot(path=SCREENSHOTS / "lab_explorer.png")

    view = find(page, "canvas.pad")
    before, read = picture(view), readings(view)
    draw_a_seven(page, view.locator("canvas.pad"))
    assert until(lambda: view.locator(".words").inner_text().startswith("Q reads c1 = "))
    assert until(lambda: picture(view) != before)
    assert until(lambda: readings(view) != read)
    view.screenshot(path=SCREENSHOTS / "lab_drawing.png")
    redrawn = picture(view)
    raise_slider(view, "c2", 6)
    assert until(lambda: picture(view) != redrawn)

    view = find(page, '.model:has-text("λ = 0")')
    ours = view.locator("canvas.large").first
    before = pixels(ours)
    raise_slider(view, "c3", 10)
    assert until(lambda: "continuous=[0.0, 1.0]" in view.locator(".line").inner_text())
    assert pixels(ours) != before
    view.screenshot(path=SCREENSHOTS / "lab_two_models.png")

    page.screenshot(path=SCREENSHOTS / "lab_page.png")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    from infogan_helpers.checkpoints import load_pretrained
    from infogan_helpers.explorer_page import export_explorer

    generator, discriminator_q, _, _ = load_pretrained("mnist")
    return export_explorer(tmp_path_factory.mktemp("page") / "explorer.html", generator, discriminator_q, seed=1)


def test_the_exported_page_needs_neither_a_kernel_nor_a_network(exported, page):
    assert exported.stat().st_size < 3e6
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(exported.as_uri())
    view = page.locator(f"{EXPLORER}[data-drawn]")
    view.wait_for(timeout=WAIT)
    before, read = picture(view), readings(view)
    raise_slider(view, "c2", 7)
    assert until(lambda: picture(view) != before)
    assert readings(view) != read
    assert "continuous=[1.4, 0.0]" in view.locator(".line").inner_text()
    before = picture(view)
    view.get_by_role("radio", name="c1 = 5").click()
    assert until(lambda: picture(view) != before)
    page.screenshot(path=SCREENSHOTS / "exported_page.png")
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.fixture(scope="module")
def exported_dial(tmp_path_factory):
    import torch

    from infogan_helpers.architectures import ARCHITECTURES
    from infogan_helpers.codes import CodeSpec
    from infogan_helpers.explorer_page import export_explorer

    torch.manual_seed(0)
    networks = [make(CodeSpec((3,), 1, 5, circular=1), (1, 28, 28), 0.05) for make in ARCHITECTURES["conv"]]
    return export_explorer(tmp_path_factory.mktemp("page") / "dial.html", *networks, seed=1)


def test_a_dial_goes_round_by_keyboard_and_by_pointer(exported_dial, page):
    page.goto(exported_dial.as_uri())
    view = page.locator(f"{EXPLORER}[data-drawn]")
    view.wait_for(timeout=WAIT)
    dial = view.get_by_role("slider", name="c3", exact=True)
    before, read = picture(view), readings(view)
    dial.focus()
    degrees = []
    for _ in range(14):  # 15° each
        dial.press("ArrowRight")
        degrees.append(dial.get_attribute("aria-valuenow"))
    assert degrees == [str(15 * k) for k in range(1, 13)] + ["-165", "-150"]  # past 180° it comes in at the other end
    assert until(lambda: picture(view) != before)
    assert readings(view) != read
    assert "c3: went in −150°, Q reads" in readings(view)[-1]
    assert "circular=[-2.6179]" in view.locator(".line").inner_text()
    for _ in range(2):
        dial.press("ArrowLeft")
    assert dial.get_attribute("aria-valuetext") == "180°"
    assert "circular=[3.1415]" in view.locator(".line").inner_text()
    for _ in range(6):
        dial.press("PageUp")
    assert dial.get_attribute("aria-valuetext") == "0°"
    assert until(lambda: picture(view) == before)

    box = dial.bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(middle[0] + 20, middle[1])
    page.mouse.down()
    page.mouse.move(middle[0], middle[1] - 20, steps=4)
    assert dial.get_attribute("aria-valuetext") == "90°"
    page.mouse.up()
    page.mouse.move(middle[0] - 20, middle[1])
    assert dial.get_attribute("aria-valuetext") == "90°"
    view.get_by_role("button", name="sweep c3").click()
    assert until(lambda: (dial.get_attribute("aria-valuetext") or "").startswith("−"))  # on over the top
    dial.press("ArrowLeft")  # a hand on the dial stops the sweep
    stopped = dial.get_attribute("aria-valuetext")
    page.wait_for_timeout(300)
    assert dial.get_attribute("aria-valuetext") == stopped
    page.screenshot(path=SCREENSHOTS / "exported_dial.png")
    view.get_by_role("button", name="reset").click()
    assert until(lambda: dial.get_attribute("aria-valuetext") == "0°")
