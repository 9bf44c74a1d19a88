"""A reader's picture in a real browser: opened, found again, edited, saved; by keyboard; on a page without a kernel."""

import io

import numpy as np
import publish_page
import pytest
import torch
from browser import EXPLORER, SCREENSHOTS, WAIT, alive, contrast, faults, pixels, raise_slider, until
from PIL import Image, ImageDraw

from infogan_helpers.checkpoints import load_pretrained
from infogan_helpers.data import like_mnist, mnist_sample
from infogan_helpers.widgets import edit_a_digit, edit_a_picture
from infogan_helpers.worlds import Faces

SEVEN = [(0.3, 0.3), (0.66, 0.28), (0.45, 0.78)]  # in shares of the picture's sides


@pytest.fixture(scope="module")
def mnist():
    return load_pretrained("mnist")


@pytest.fixture
def editor(mnist):
    known = {"matching": mnist.card["measured"]["matching"], "meanings": {"c2": "slant", "c3": "thickness"}}
    return edit_a_digit(*mnist[:2], seed=1, **known)


def seven(size=(300, 300), paper=255, ink=0, mode="L"):
    picture = Image.new(mode, size, paper)
    line = [(x * size[0], y * size[1]) for x, y in SEVEN]
    ImageDraw.Draw(picture).line(line, fill=ink, width=min(size) // 14, joint="curve")
    return picture


def photographed():
    """Pen on grey paper, by a lamp from the left, with a camera's noise."""
    light = np.linspace(30, -30, 600) + np.random.default_rng(0).normal(0, 6, (800, 600))
    return Image.fromarray((np.array(seven((600, 800), 170, 60)) + light).clip(0, 255).astype(np.uint8))


PICTURES = {
    "dark on light.png": ("png", seven()),
    "light on dark.bmp": ("bmp", seven(paper=0, ink=255)),
    "blue on yellow.gif": ("gif", seven((240, 240), (250, 240, 150), (20, 20, 120), "RGB")),
    "on nothing.webp": ("webp", seven(paper=(0, 0, 0, 0), ink=(0, 0, 0, 255), mode="RGBA")),
    "photographed.jpg": ("jpeg", photographed()),
}


def file(name, picture=None, kind="png", content=None):
    """A file as playwright gives it to a page."""
    if picture is not None:
        buffer = io.BytesIO()
        picture.save(buffer, format=kind)
        content = buffer.getvalue()
    return {"name": name, "mimeType": f"image/{kind}", "buffer": content}


def opened(view, *files):
    for one in files:
        view.locator("input[type=file]").set_input_files(one)


def found(view):
    return until(lambda: "G draws it again with an error of 0." in view.locator(".words").inner_text())


def shown(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("L")).astype(int)


def ink_seen(widget):
    return 255 - shown(widget.view["drawing"]["seen"])


# --- opened, found again, edited


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_any_kind_is_turned_to_ink_found_again_and_edited(page, editor, name):
    kind, picture = PICTURES[name]
    view = alive(page, editor)
    opened(view, file(name, picture, kind))
    assert found(view), view.locator(".words").inner_text()
    clean = like_mnist(torch.from_numpy(np.array(seven(picture.size, 0, 255))))[0, 0].numpy()
    moved = [np.roll(clean, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]  # its centre may round otherwise
    assert max(np.corrcoef(ink_seen(editor).ravel(), one.ravel())[0, 1] for one in moved) > 0.9
    assert ink_seen(editor).max() > 230
    assert "Q reads c1 = 9, your 7 (" in view.locator(".words").inner_text()
    before, noise = pixels(view.locator("canvas.large").last), editor.codes().noise
    raise_slider(view, "c2, slant", 5)
    assert until(lambda: pixels(view.locator("canvas.large").last) != before)
    assert until(lambda: editor.continuous[0] > 0)
    assert torch.equal(editor.codes().noise, noise)
    page.screenshot(path=SCREENSHOTS / f"editing_{kind}.png")


def test_the_reconstruction_stands_beside_the_picture_with_its_error(page, editor):
    view = alive(page, editor)
    assert view.locator(".lost").is_hidden()
    opened(view, file("7.png", seven()))
    assert found(view)
    row = view.locator(".lost")
    assert row.locator(".heading").inner_text().startswith("your picture · found again, error 0.")
    seen, again = (shown_on(row.locator("canvas").nth(i)) for i in (0, 1))
    assert np.array_equal(255 - seen, ink_seen(editor))
    error = float(np.sqrt(np.square(seen - again).mean()) / 255)
    assert f"error of {error:.2f}" in view.locator(".words").inner_text()
    assert error < 0.15
    sliders = [
        view.get_by_role("slider", name=name).get_attribute("aria-valuetext") for name in ("c2, slant", "c3, thickness")
    ]
    assert [float(text.partition(",")[0].replace("−", "-")) for text in sliders] == editor.continuous
    assert (
        np.abs(shown_on(view.locator("canvas.large").last)[5::10, 5::10] - again).max() <= 6
    )  # sliders have two decimals


def shown_on(canvas):
    flat = canvas.evaluate("""canvas => [canvas.width, ...canvas.getContext("2d")
        .getImageData(0, 0, canvas.width, canvas.height).data.filter((x, i) => i % 4 === 0)]""")
    return np.array(flat[1:]).reshape(-1, flat[0])


def test_a_drawing_and_a_real_digit_are_edited_too(page, editor):
    view = alive(page, editor)
    box = view.locator("canvas.pad").bounding_box()
    page.mouse.move(box["x"] + 110, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 200, steps=8)
    page.mouse.up()
    assert found(view)
    drawn = editor.codes().noise
    view.get_by_role("button", name="give me a real digit").click()
    assert until(lambda: not torch.equal(editor.codes().noise, drawn))
    view.get_by_role("button", name="undo").click()
    assert until(lambda: torch.equal(editor.codes().noise, drawn))


# --- what can't be opened, and what comes in between


REFUSED = {
    "notes.txt": (file("notes.txt", content=b"not a picture"), "“notes.txt” can't be opened as a picture."),
    "broken.png": (file("broken.png", content=b"\x89PNG\r\n\x1a\n" + bytes(90)), "can't be opened as a picture."),
    "empty.png": (file("empty.png", content=b""), "can't be opened as a picture."),
    "wide.png": (file("wide.png", Image.new("1", (8000, 7000))), "has 8000 × 7000 pixels, at most 50 million"),
    "grey.png": (file("grey.png", Image.new("L", (90, 90), 128)), "Nothing stands out in this picture"),
    "a tag": (file("<img src=x onerror=alert(1)>.png", content=b"x"), "“<img src=x onerror="),
}  # fmt: skip


def test_what_is_no_picture_is_refused_in_words_and_the_next_one_opens(page, editor, tmp_path):
    view, words, heavy = alive(page, editor), view_of_words, tmp_path / "heavy.png"
    heavy.write_bytes(bytes(20_000_001))
    for wrong, message in [*REFUSED.values(), (heavy, "is too large: it has 21 MB, at most 20 can be opened.")]:
        opened(view, wrong)
        assert until(lambda message=message: message in words(view)), (message, words(view))
        assert until(lambda message=message: message in view.get_by_role("status").inner_text())
    assert view.locator(".words img").count() == 0
    assert contrast(view, ".words") >= 4.5
    assert editor.drawing == b""
    page.screenshot(path=SCREENSHOTS / "editing_refused.png")
    opened(view, file("7.png", seven()))
    assert found(view)
    assert "refused" not in view.locator(".words").get_attribute("class")
    before = editor.view
    opened(view, REFUSED["notes.txt"][0])
    assert until(lambda: "can't be opened" in words(view))
    assert editor.view == before  # what was there can still be edited
    raise_slider(view, "c2, slant", 1)
    assert found(view)


def view_of_words(view):
    return view.locator(".words").inner_text()


def test_of_two_files_the_later_one_counts_however_long_the_first_takes(page, editor):
    view = alive(page, editor)
    page.evaluate("""() => {
        const read = FileReader.prototype.readAsDataURL;
        FileReader.prototype.readAsDataURL = function (file) {
            setTimeout(() => read.call(this, file), file.name === "slow.png" ? 800 : 0);
        };
    }""")
    mirrored = seven().transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    opened(view, file("slow.png", mirrored), file("fast.png", seven()))
    assert found(view)
    first = ink_seen(editor)
    page.wait_for_timeout(1200)
    assert np.array_equal(ink_seen(editor), first)
    opened(view, file("one.png", mirrored), file("two.png", seven()))  # one after the other, both searched for
    page.wait_for_timeout(1500)
    assert np.array_equal(ink_seen(editor), first)
    opened(view, file("slow.png", mirrored))
    view.get_by_role("button", name="clear").click()
    view.get_by_role("button", name="give me a real digit").click()
    assert until(lambda: not np.array_equal(ink_seen(editor), first))
    view.get_by_role("button", name="open a picture").wait_for()


# --- saved


def saved(page, button):
    with page.expect_download() as download:
        button.press("Enter")
    with open(download.value.path(), "rb") as content:
        return download.value.suggested_filename, Image.open(io.BytesIO(content.read()))


def test_the_edited_picture_is_saved_small_and_enlarged(page, editor):
    view = alive(page, editor)
    opened(view, file("7.png", seven()))
    assert found(view)
    before = pixels(view.locator("canvas.large").last)
    raise_slider(view, "c3, thickness", 6)
    assert until(lambda: pixels(view.locator("canvas.large").last) != before)
    page.wait_for_timeout(500)
    k = editor.categorical[0]
    edited = shown(editor.view["sprites"][0])[:, 28 * k : 28 * (k + 1)]
    for scale in (1, 10):
        name, picture = saved(page, view.get_by_role("button", name=f"save {28 * scale} × {28 * scale}", exact=True))
        assert (name, picture.format) == (f"infogan_{28 * scale}x{28 * scale}.png", "PNG")
        assert np.array_equal(np.asarray(picture.convert("L")), np.kron(edited, np.ones((scale, scale))))
        assert until(lambda name=name: f"Saved as {name}." in view.get_by_role("status").inner_text())


# --- faces


def test_a_face_is_opened_in_greys_as_it_is(page):
    world, networks = Faces(32), load_pretrained("faces")[:2]
    faces = world.render(world.sample_factors(4, torch.Generator().manual_seed(1)))
    widget = edit_a_picture(*networks, faces)
    view = alive(page, widget)
    assert "32 × 32 pixels in greys" in view.locator(".words").inner_text()
    grey = ((faces[2, 0] + 1) * 127.5).round().to(torch.uint8).numpy()
    wide = np.pad(np.kron(grey, np.ones((6, 6), np.uint8)), ((0, 0), (60, 60)))  # cut to its middle
    opened(view, file("face.png", Image.fromarray(wide)))
    assert found(view)
    assert np.abs(shown(widget.view["drawing"]["seen"]) - grey).mean() < 6
    page.screenshot(path=SCREENSHOTS / "editing_face.png")
    view.get_by_role("button", name="give me an example").press("Enter")
    assert found(view)


# --- by keyboard, in the dark, on narrow pages, by ear


def test_everything_is_done_by_keyboard_in_the_order_of_the_page(page, editor):
    view = alive(page, editor)
    opened(view, file("7.png", seven()))
    assert found(view)
    view.get_by_role("slider", name="pen width").focus()
    seen = []
    for _ in range(12):
        seen.append(
            page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent")
        )
        page.keyboard.press("Tab")
    assert seen == ["pen width", "undo", "clear", "give me a real digit", "open a picture", "c1 = 9, a 7", "c2, slant",
                    "sweep c2", "c3, thickness", "sweep c3", "reset", "save 28 × 28"]  # fmt: skip
    with page.expect_file_chooser() as chooser:
        view.get_by_role("button", name="open a picture").press("Enter")
    chooser.value.set_files(file("1.png", seven((300, 600))))
    assert found(view)
    tree = view.aria_snapshot()
    images = (
        "a canvas to draw a digit on",
        "your digit, centred and scaled",
        "what G draws with the codes that Q read",
    )
    buttons = ("open a picture", "save 28 × 28", "save 280 × 280")
    for name in [*(f'img "{name}' for name in images), *(f'button "{name}"' for name in buttons)]:
        assert name in tree, tree
    assert "new noise" not in tree  # the picture's own stays


def test_a_picture_that_was_found_is_announced_once(page, editor):
    view = alive(page, editor)
    page.wait_for_timeout(1500)
    live = view.locator("[aria-live], [role=status], [role=alert], output")
    assert live.count() == 1
    live.evaluate("""live => {
        window.said = [];
        new MutationObserver(() => window.said.push(live.textContent))
            .observe(live, { childList: true, characterData: true, subtree: true });
    }""")
    opened(view, file("7.png", seven()))
    assert found(view)
    page.wait_for_timeout(1500)
    said = [text for text in page.evaluate("window.said") if "No answer" not in text]  # on a slow machine
    assert said == [view.locator(".words").inner_text()]


@pytest.mark.parametrize(("width", "columns"), [(833, 2), (610, 2), (590, 1)])
def test_the_picture_found_again_stands_beside_the_readers(page, editor, width, columns):
    page.set_viewport_size({"width": 1280, "height": 800})
    view = alive(page, editor, width)
    opened(
        view, file("a name without a blank in it that is longer than any column is wide".replace(" ", "_"), content=b"")
    )
    assert until(lambda: "can't be opened" in view.locator(".words").inner_text())
    opened(view, file("7.png", seven()))
    assert found(view)
    first, second = (view.locator("canvas.large").nth(i).bounding_box() for i in (0, 1))
    assert (second["x"] >= first["x"] + first["width"]) == (columns == 2)
    assert view.evaluate("""(view, width) => [view, ...view.querySelectorAll("*")]
        .filter(e => !e.closest(".line code, .unseen") && e.getBoundingClientRect().width)
        .every(e => e.getBoundingClientRect().right <= width + 1)""", width)  # fmt: skip
    page.screenshot(path=SCREENSHOTS / f"editing_{width}.png", full_page=True)
    if width == 833:
        assert view.bounding_box()["height"] <= 700


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_no_serious_fault_in_the_editor(axe, page, editor, dark):
    view = alive(page, editor)
    if dark:
        page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    opened(view, REFUSED["notes.txt"][0])
    assert until(lambda: "can't be opened" in view.locator(".words").inner_text())
    assert faults(axe, page) == {}
    assert contrast(view, ".words, .heading") >= 4.5
    opened(view, file("7.png", seven()))
    assert found(view)
    assert faults(axe, page) == {}
    page.screenshot(path=SCREENSHOTS / f"editing_{'dark' if dark else 'light'}.png")


# --- without a kernel


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return publish_page.write(tmp_path_factory.mktemp("page") / "page.html")


@pytest.mark.parametrize("dark", [False, True])
def test_a_real_digit_is_edited_and_saved_without_a_kernel(axe, page, published, dark):
    page.emulate_media(color_scheme="dark" if dark else "light")
    page.goto(published.as_uri())
    view = page.locator(f"{EXPLORER}[data-drawn]")
    view.wait_for(timeout=WAIT)
    own = pixels(view.locator("canvas.large"))
    assert view.locator(".lost").is_hidden()
    view.get_by_role("radio", name="G's own").focus()
    page.keyboard.press("ArrowRight")
    chosen = view.get_by_role("radio", name="real picture 1 · found again, error 0.", exact=False)
    assert chosen.get_attribute("aria-checked") == "true"
    assert until(lambda: view.locator(".lost").is_visible())
    seen, again = (shown_on(view.locator(".lost canvas").nth(i)) for i in (0, 1))
    assert np.array_equal(255 - seen, mnist_sample(train=False).images[0, 0])
    picture = shown_on(view.locator("canvas.large"))[5::10, 5::10]
    assert np.abs(picture - again).max() <= 1  # a batch of many rounds otherwise than one
    error = np.sqrt(np.square(seen - again).mean()) / 255
    assert f"error {error:.2f}" in view.locator(".lost .heading").inner_text()
    assert until(lambda: "real picture 1 · found again" in view.get_by_role("status").inner_text())

    slider = view.get_by_role("slider", name="c2, slant")
    start = slider.get_attribute("aria-valuetext")
    places = []
    for _ in range(3):
        raise_slider(view, "c2, slant", 1)
        places.append(slider.get_attribute("aria-valuetext"))
    assert places == ["+0.00", "+0.50", "+1.00"]
    assert until(lambda: (shown_on(view.locator("canvas.large"))[5::10, 5::10] != picture).any())
    name, small = saved(page, view.get_by_role("button", name="save 28 × 28", exact=True))
    assert name == "infogan_28x28.png"
    assert np.array_equal(np.asarray(small.convert("L")), shown_on(view.locator("canvas.large"))[5::10, 5::10])
    assert faults(axe, page) == {}
    page.screenshot(path=SCREENSHOTS / f"editing_page_{'dark' if dark else 'light'}.png", full_page=True)

    view.get_by_role("button", name="reset").click()
    assert slider.get_attribute("aria-valuetext") == start
    assert until(lambda: np.array_equal(shown_on(view.locator("canvas.large"))[5::10, 5::10], picture))
    view.get_by_role("radio", name="G's own").click()
    assert until(lambda: pixels(view.locator("canvas.large")) == own)
    assert view.locator(".lost").is_hidden()
    raise_slider(view, "c2, slant", 1)
    assert slider.get_attribute("aria-valuetext") == "+0.20"
