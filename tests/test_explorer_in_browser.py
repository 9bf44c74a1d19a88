"""What the explorer's page says in a real browser: of Q, of a drawing, of a kernel that is gone; layout and names."""

import importlib.util
import re
from pathlib import Path

import pytest
from browser import SCREENSHOTS, alive, contrast, faults, raise_slider, unavailable, until

from infogan_helpers.checkpoints import load_pretrained
from infogan_helpers.widgets import compare_models, draw_a_digit, explorer

MEANINGS = {"c2": "slant", "c3": "thickness"}


@pytest.fixture(scope="module")
def mnist():
    return load_pretrained("mnist")


@pytest.fixture(scope="module")
def both(mnist):
    return {"InfoGAN": mnist[:2], "λ = 0": load_pretrained("mnist_control")[:2]}


def known(model):
    return {"matching": model.card["measured"]["matching"], "meanings": MEANINGS}


def draw_a_stroke(page, view, start=(60, 40), end=(110, 200)):
    """One stroke of the mouse on the canvas, in its own pixels."""
    box = view.locator("canvas.pad").bounding_box()
    page.mouse.move(box["x"] + start[0], box["y"] + start[1])
    page.mouse.down()
    page.mouse.move(box["x"] + end[0], box["y"] + end[1], steps=8)
    page.mouse.up()


def line(view):
    return view.locator(".line").inner_text()


# --- what Q reads


@pytest.mark.parametrize("k", [6, 9])
def test_a_posterior_as_wide_as_the_prior_is_no_recovery(page, both, k):
    view = alive(page, compare_models(both, seed=1))
    view.get_by_role("radio", name=f"c1 = {k}").first.click()
    assert until(lambda: f"categorical=[{k}]" in line(view))
    ours, control = (view.locator(".summary").nth(i) for i in (0, 1))
    assert ours.inner_text() == ("all codes recovered" if k == 6 else "not recovered: c3")
    assert control.inner_text() == "not recovered: c1, c2, c3"
    nats = [[float(x.replace("−", "-")) for x in re.findall(r"c\d (−?\d\.\d)", text)]
            for text in view.locator(".nats").all_inner_texts()]  # fmt: skip
    assert nats[0][0] == 2.3
    assert max(nats[1]) < 0.7
    assert "log Q(c | x) + H(c)" in view.locator(".note").inner_text()


def test_bars_say_their_percentage(page, mnist):
    view = alive(page, explorer(*mnist[:2], seed=1, **known(mnist)))
    bars = view.locator(".bar .percent").all_inner_texts()
    assert len(bars) == 10
    assert bars[0] == "100%"


def test_a_thumbnail_says_the_digit_that_it_shows(page, mnist):
    view = alive(page, explorer(*mnist[:2], seed=1, **known(mnist)))
    thumbnail = view.get_by_role("radio", name="c1 = 5, a 2", exact=True)
    assert thumbnail.inner_text().split() == ["5", "a", "2"]


# --- a drawing


def test_nothing_is_redrawn_before_anything_is_drawn_and_the_reading_goes_with_the_drawing(page, mnist):
    view = alive(page, draw_a_digit(*mnist[:2], seed=1, **known(mnist)))
    redrawn, words = view.locator(".model canvas.large").last, view.locator(".words")
    assert not redrawn.is_visible()
    assert not view.locator(".summary").is_visible()
    draw_a_stroke(page, view)
    assert until(lambda: words.inner_text().startswith("Q reads c1 = 2, your 1 ("))
    assert redrawn.is_visible()
    assert "recovered" not in view.inner_text()  # that would be G's own picture, beside the reader's
    assert view.locator(".reads").inner_text().count("%") == 10
    page.screenshot(path=SCREENSHOTS / "explorer_drawing.png", full_page=True)

    said = words.inner_text()
    raise_slider(view, "c2, slant", 5)
    view.get_by_role("button", name="new noise").click()
    assert until(lambda: "seeds=(2, 3), between=0.0" in line(view))
    share = re.compile(r"share (\d+)% of their ink")
    assert until(lambda: share.search(words.inner_text())[1] != share.search(said)[1])  # of the picture that is there
    assert words.inner_text().partition(". ")[0] == said.partition(". ")[0]  # the drawing is still the same

    view.get_by_role("button", name="reset").click()
    assert until(lambda: "Q reads" not in words.inner_text())
    assert blank(view)
    assert not redrawn.is_visible()


def blank(view):
    return view.locator("canvas.pad").evaluate("""canvas => canvas.getContext("2d")
        .getImageData(0, 0, canvas.width, canvas.height).data.every(x => x === 255)""")


def test_percentages_on_a_drawing_are_said_to_be_uncalibrated_and_why(page, mnist):
    view = alive(page, draw_a_digit(*mnist[:2], **known(mnist)))
    note = view.locator(".note").inner_text()
    assert "not calibrated" in note
    assert "learned on what G draws" in note


def test_a_stroke_is_undone_and_the_pen_has_a_width(page, mnist):
    view = alive(page, draw_a_digit(*mnist[:2], seed=1, **known(mnist)))
    ink = """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
        .filter((x, i) => i % 4 === 0 && x < 128).length"""
    canvas, undo = view.locator("canvas.pad"), view.get_by_role("button", name="undo")
    assert undo.is_disabled()
    draw_a_stroke(page, view)
    first = canvas.evaluate(ink)
    raise_slider(view, "pen width", 10)
    draw_a_stroke(page, view, (130, 40), (180, 200))
    assert canvas.evaluate(ink) - first > 1.5 * first
    undo.click()
    assert canvas.evaluate(ink) == first
    undo.click()
    assert blank(view)
    assert until(lambda: "Q reads" not in view.locator(".words").inner_text())


def test_a_real_digit_is_put_on_the_canvas_by_keyboard(page, mnist):
    view = alive(page, draw_a_digit(*mnist[:2], seed=1, **known(mnist)))
    button = view.get_by_role("button", name="give me a real digit")
    button.focus()
    button.press("Enter")
    words = view.locator(".words")
    assert until(lambda: re.match(r"Q reads c1 = \d, your \d \(\d+%\)", words.inner_text()))
    assert not blank(view)
    view.get_by_role("button", name="clear").press("Enter")
    assert blank(view)


# --- noise


def test_new_noise_goes_on_from_where_the_interpolation_stands(page, mnist):
    view = alive(page, explorer(*mnist[:2], seed=1))
    raise_slider(view, "noise", 10)
    assert until(lambda: "seeds=(1, 2), between=0.5" in line(view))
    page.evaluate("window.sent.length = 0")
    view.get_by_role("button", name="new noise").click()
    assert until(lambda: "seeds=(2, 3), between=0.0" in line(view))
    sent = page.evaluate("window.sent")
    on_the_way = [change["between"] for change in sent if "seeds" not in change]
    assert on_the_way == sorted(on_the_way)
    assert on_the_way[0] < 0.7
    assert on_the_way[-1] == 1  # which is the second seed's noise: renamed, the picture stays
    assert sent[-1] | {"seeds": [2, 3], "between": 0} == sent[-1]


# --- a kernel that is gone


def test_a_page_whose_kernel_is_gone_says_so_within_two_seconds(page, mnist):
    view = alive(page, explorer(*mnist[:2], seed=1))
    raise_slider(view, "c2", 3)
    page.wait_for_timeout(2500)
    assert view.locator(".gone").is_hidden()
    page.evaluate("window.dead = true")
    raise_slider(view, "c2", 1)
    page.wait_for_timeout(2000)
    assert "run this cell again" in view.locator(".gone").inner_text()
    page.evaluate("window.dead = false")
    raise_slider(view, "c2", 1)
    assert until(view.locator(".gone").is_hidden, 3)


# --- layout


def boxes(view, selector):
    return [element.bounding_box() for element in view.locator(selector).all() if element.is_visible()]


@pytest.mark.parametrize(("width", "columns"), [(833, 2), (610, 2), (590, 1)])
def test_model_stands_beside_model_down_to_600_pixels(page, both, width, columns):
    page.set_viewport_size({"width": 1280, "height": 800})
    view = alive(page, compare_models(both, seed=1), width)
    first, second = boxes(view, "canvas.large")
    assert (second["y"] == first["y"]) == (columns == 2)
    assert whole(view, width)
    if width == 833:
        page.screenshot(path=SCREENSHOTS / "explorer_two_models_833.png")
        assert view.bounding_box()["height"] <= 680  # what JupyterLab shows at 1280 × 800


@pytest.mark.parametrize(("width", "columns"), [(833, 2), (590, 1)])
def test_the_redrawn_digit_stands_beside_the_drawing(page, mnist, width, columns):
    page.set_viewport_size({"width": 1280, "height": 800})
    view = alive(page, draw_a_digit(*mnist[:2], seed=1, **known(mnist)), width)
    draw_a_stroke(page, view)
    assert until(lambda: len(boxes(view, "canvas.large")) == 2)
    first, second = boxes(view, "canvas.large")
    assert (second["x"] >= first["x"] + first["width"]) == (columns == 2)
    assert whole(view, width)
    if width == 833:
        page.screenshot(path=SCREENSHOTS / "explorer_drawing_833.png")
        assert view.bounding_box()["height"] <= 700


def whole(view, width):
    """Whether nothing stands out to the right, and nothing has to be scrolled sideways but the line of code."""
    return view.evaluate("""(view, width) => [view, ...view.querySelectorAll("*")]
        .filter(e => !e.closest(".line code, .unseen") && e.getBoundingClientRect().width)
        .every(e => e.getBoundingClientRect().right <= width + 1)
    """, width)  # fmt: skip


def test_bars_do_not_overlap_in_the_older_notebook(page, mnist):
    """nbclassic's stylesheet, Bootstrap's, knows classes of its own, "well" for instance."""
    if (package := importlib.util.find_spec("nbclassic")) is None:
        unavailable("the check in the older notebook needs the Python package nbclassic")
    style = Path(package.origin).parent / "static" / "style" / "style.min.css"
    view = alive(page, draw_a_digit(*mnist[:2], seed=1, **known(mnist)))
    draw_a_stroke(page, view)
    assert until(lambda: len(boxes(view, ".bar")) == 10)
    page.add_style_tag(path=style)
    page.screenshot(path=SCREENSHOTS / "explorer_nbclassic.png", full_page=True)
    parts = [boxes(row, ":scope, *") for row in view.locator(".bar").all()]
    bottoms = [max(box["y"] + box["height"] for box in row) for row in parts]
    tops = [min(box["y"] for box in row) for row in parts]
    assert all(top >= bottom for bottom, top in zip(bottoms, tops[1:], strict=False))


# --- the dark theme


def is_dark(view):
    colour = view.evaluate("view => getComputedStyle(view).backgroundColor")
    return sum(map(int, re.findall(r"\d+", colour)[:3])) < 200


DARK = {
    "jupyterlab": "document.body.dataset.jpThemeLight = 'false'",
    "vs code": "document.body.dataset.vscodeThemeKind = 'vscode-dark'",
    "colab": "document.documentElement.setAttribute('theme', 'dark')",
}


@pytest.mark.parametrize("where", DARK)
def test_the_theme_is_followed_where_it_is_dark(page, both, where):
    page.emulate_media(color_scheme="dark")  # the system's wish, which a notebook's own theme overrides
    view = alive(page, compare_models(both, seed=1))
    words = ".heading, .name, .text, .value, .note, .summary, .tick, .nats"
    assert not is_dark(view)
    assert contrast(view, words) >= 4.5
    page.evaluate(DARK[where])
    assert is_dark(view)
    assert contrast(view, words) >= 4.5
    page.screenshot(path=SCREENSHOTS / f"explorer_dark_{where.replace(' ', '_')}.png", full_page=True)


# --- names


def test_every_bar_slider_and_reading_has_a_name(page, mnist):
    view = alive(page, explorer(*mnist[:2], seed=1, **known(mnist)))
    slider = raise_slider(view, "c2, slant", 5)
    slider.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "+0.40"
    assert until(lambda: "went in +0.40" in view.locator(".axis").first.get_attribute("aria-label"))
    tree = view.aria_snapshot()
    for name in (
        'slider "c2, slant"',
        'img "c1 = 0, a 3: 100%"',
        'img "c2, slant: went in +0.40, Q reads',
        'slider "noise"',
    ):
        assert name in tree, tree


def test_a_change_is_announced_once(page, both):
    view = alive(page, compare_models(both, seed=1))
    live = view.locator("[aria-live], [role=status], [role=alert], output")
    assert live.count() == 1
    page.wait_for_timeout(1500)
    live.evaluate("""live => {
        window.said = [];
        new MutationObserver(() => window.said.push(live.textContent))
            .observe(live, { childList: true, characterData: true, subtree: true });
    }""")
    raise_slider(view, "c2", 3)
    page.wait_for_timeout(1500)
    said = page.evaluate("window.said")
    assert len(said) == 1
    assert "InfoGAN: " in said[0]
    assert "λ = 0: not recovered: c1, c2, c3" in said[0]


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_no_serious_fault(axe, page, mnist, both, dark):
    view = alive(page, draw_a_digit(*mnist[:2], seed=1, **known(mnist)))
    if dark:
        page.evaluate(DARK["jupyterlab"])
    assert faults(axe, page) == {}
    draw_a_stroke(page, view)
    assert until(lambda: "Q reads" in view.locator(".words").inner_text())
    assert faults(axe, page) == {}


def test_axe_finds_no_serious_fault_where_two_models_are_compared(axe, page, both):
    alive(page, compare_models(both, seed=1))
    assert faults(axe, page) == {}
