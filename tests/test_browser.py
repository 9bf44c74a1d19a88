"""The explorer in a real browser: notebook 05 in JupyterLab with a kernel, and the exported page from disk without one.

Skipped where there is no Chromium or no playwright; with ``INFOGAN_BROWSER=required``, as in CI, that is a failure.
Screenshots land in ``build/screenshots``.
"""

import nbformat
import publish_page
import pytest
from browser import (
    EXPLORER,
    ROOT,
    SCREENSHOTS,
    WAIT,
    contrast,
    faults,
    find,
    open_and_run,
    picture,
    pixels,
    raise_slider,
    readings,
    serve_notebook,
    stays_idle,
    until,
)


@pytest.fixture(scope="module")
def lab(browser_needed):
    with serve_notebook(ROOT / "notebooks" / "05_latent_traversals.ipynb") as address:
        yield address


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
    slider = raise_slider(view, "c2, slant", 15)
    assert until(lambda: picture(view) != before)
    assert until(lambda: readings(view) != read)
    assert until(lambda: "continuous=[1.5, 0.0]" in view.locator(".line").inner_text())
    assert slider.get_attribute("aria-valuetext") == "+1.50, outside the prior"
    view.screenshot(path=SCREENSHOTS / "lab_slider.png")

    drawn, last = int(view.get_attribute("data-drawn")), float(drag(view, "c2, slant"))
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
    raise_slider(view, "c2, slant", 6)
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
def small(tmp_path_factory):
    """A notebook of one cell: the explorer."""
    cell = """from infogan_helpers.checkpoints import load_pretrained
from infogan_helpers.widgets import explorer
explorer(*load_pretrained("mnist")[:2], seed=1)"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    path = tmp_path_factory.mktemp("small") / "small.ipynb"
    nbformat.write(notebook, path)
    return path


def test_an_explorer_whose_kernel_was_restarted_says_so(small, browser_needed, page):
    with serve_notebook(small) as address:
        open_and_run(page, address)
        view = find(page, ".thumbnails")
        page.get_by_role("menuitem", name="Kernel", exact=True).click()
        page.locator(".lm-Menu-itemLabel").get_by_text("Restart Kernel…", exact=True).click()
        page.locator(".jp-Dialog").get_by_text("Restart", exact=True).click()
        assert until(lambda: stays_idle(address.partition("/lab/")[0]), 60)
        notice = view.locator(".gone")
        assert notice.is_hidden()
        raise_slider(view, "c2", 1)
        page.wait_for_timeout(2000)
        assert "run this cell again" in notice.inner_text()
        view.screenshot(path=SCREENSHOTS / "lab_gone.png")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return publish_page.write(tmp_path_factory.mktemp("page") / "explorer.html")


def test_the_exported_page_needs_neither_a_kernel_nor_a_network(exported, page):
    assert exported.stat().st_size <= publish_page.MOST
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(exported.as_uri())
    view = page.locator(f"{EXPLORER}[data-drawn]")
    view.wait_for(timeout=WAIT)
    before, read = picture(view), readings(view)
    slider = raise_slider(view, "c2, slant", 7)
    assert until(lambda: picture(view) != before)
    assert readings(view) != read
    assert slider.get_attribute("aria-valuetext") == "+1.40, outside the prior"
    assert view.locator(".line").count() == 0
    assert "not recovered: c2" in view.locator(".summary").inner_text()
    before = picture(view)
    view.get_by_role("radio", name="c1 = 5").click()
    assert until(lambda: picture(view) != before)
    page.screenshot(path=SCREENSHOTS / "exported_page.png")
    page.emulate_media(color_scheme="dark")
    assert contrast(view, ".heading, .name, .text, .value, .note, .summary, .tick, .nats, .digit") >= 4.5
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 17, 17)"
    page.screenshot(path=SCREENSHOTS / "exported_page_dark.png")
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_on_the_exported_page(axe, exported, page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(exported.as_uri())
    page.locator(f"{EXPLORER}[data-drawn]").wait_for(timeout=WAIT)
    assert faults(axe, page, "html") == {}


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
    for _ in range(2):
        dial.press("ArrowLeft")
    assert dial.get_attribute("aria-valuetext") == "180°"
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
