"""What a reader meets in a real browser: a notebook as JupyterLab opens it, and the site that ``build_site.py`` makes.

Skipped, or failed, where a browser is missing, as in ``test_browser.py``; the site's tests also where its extra is.
"""

import functools
import http.server
import importlib.util
import platform
import re
import subprocess
import sys
import threading

import nbformat
import pytest
from browser import ROOT, SCREENSHOTS, WAIT, browser_page, serve_notebook, unavailable, until

NOTEBOOK = ROOT / "notebooks" / "05_latent_traversals.ipynb"
SITE = ROOT / "build" / "site"
SITE_EXTRA = ("sphinx", "myst_nb", "sphinx_book_theme", "jupyter_server_mathjax")
OUTSIDE = "colab.research.google.com"  # the badge, the only thing that a page of the site asks another machine for


@pytest.fixture
def small_page(page):
    """A page of 1280 by 800 pixels."""
    page.set_viewport_size({"width": 1280, "height": 800})
    return page


def test_opening_a_notebook_changes_nothing_folds_the_set_up_and_scrolls_no_code_sideways(small_page):
    page = small_page
    with serve_notebook(NOTEBOOK) as address:
        page.goto(address, timeout=WAIT)
        page.wait_for_selector(".jp-Notebook", timeout=WAIT)
        page.get_by_text("| Idle").wait_for(timeout=WAIT)  # the kernel is there, and JupyterLab has asked it who it is
        page.wait_for_timeout(2000)
        page.screenshot(path=SCREENSHOTS / "lab_opened.png")
        [set_up, *_] = page.locator(".jp-InputPlaceholder").all_inner_texts()
        assert set_up.startswith("# @title Set-up")
        stored = nbformat.read(NOTEBOOK, as_version=4).metadata.language_info.version
        if stored == platform.python_version():  # JupyterLab writes down another one's
            assert page.locator(".lm-TabBar-tab.jp-mod-dirty").count() == 0
        page.locator(".jp-Notebook").first.hover()
        for _ in range(60):
            page.mouse.wheel(0, 600)
            page.wait_for_timeout(50)
            wide = page.locator(".jp-CodeCell .cm-scroller").evaluate_all("""boxes => boxes
                .filter(box => box.offsetParent && box.scrollWidth > box.clientWidth + 1).map(box => box.innerText)""")
            assert wide == []


@pytest.fixture(scope="module")
def site(browser_needed):
    """The site, built, at an address of its own below another folder, as a teacher may host it."""
    if missing := [name for name in SITE_EXTRA if importlib.util.find_spec(name) is None]:
        unavailable(f"the site needs {' and '.join(missing)}")
    command = [sys.executable, str(ROOT / "tests" / "build_site.py")]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert built.returncode == 0, built.stdout + built.stderr
    handler = functools.partial(Quiet, directory=SITE.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/site"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server of files that says nothing."""

    def log_message(self, *_):
        pass


@pytest.fixture
def reader(site):
    """A page of the site, and a check at its end that only badges came from elsewhere, and nothing was missing."""
    with browser_page() as page:
        asked, missing = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("response", lambda response: missing.append(response.url) if response.status >= 400 else None)
        yield page
    assert missing == []
    assert [url for url in asked if not url.startswith((site, "data:", "blob:", "about:")) and OUTSIDE not in url] == []


def test_every_link_of_the_site_is_relative_and_leads_to_a_file(site):
    pages = [page for page in sorted(SITE.rglob("*.html")) if "_static" not in page.parts]
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert {f"notebooks/{path.stem}.html" for path in notebooks} <= {p.relative_to(SITE).as_posix() for p in pages}
    for page in pages:
        text = re.sub(r"<script.*?</script>|<pre.*?</pre>", "", page.read_text(encoding="utf-8"), flags=re.S)
        for link in re.findall(r'(?:href|src)="([^"#?]+)[^"]*"', text):
            if not re.match(r"[a-z]+:", link):
                assert (page.parent / link).exists(), (page.name, link)
        figures = [figure for figure in re.findall(r"<img[^>]*>", text) if "_images/" in figure]
        assert [figure for figure in figures if not re.search(r'alt="[^"]{20,}"', figure)] == [], page.name


def test_the_site_has_contents_search_a_dark_mode_formulas_and_folded_solutions(site, reader):
    reader.goto(f"{site}/index.html")
    contents = reader.locator("nav.bd-links").first.inner_text()
    assert all(f"{n:02d} · " in contents for n in range(1, 12))
    reader.screenshot(path=SCREENSHOTS / "site_first_page.png")
    reader.emulate_media(color_scheme="dark")
    assert until(lambda: reader.locator("html").get_attribute("data-theme") == "dark")
    reader.goto(f"{site}/notebooks/02_variational_lower_bound.html")
    assert until(lambda: reader.locator(".MathJax").count() > 5)
    assert reader.locator(".MathJax_Error").count() == 0
    assert reader.locator("details.hide:has-text('@title Solution')").count() >= 3
    assert reader.get_by_text("@title Solution").first.is_hidden()
    reader.screenshot(path=SCREENSHOTS / "site_notebook_dark.png")
    reader.goto(f"{site}/search.html?q=Donsker")
    assert until(lambda: reader.locator("#search-results li").count() > 0)
    assert "08 · Variants" in reader.locator("#search-results").inner_text()


def test_the_explorer_on_the_site_moves(site, reader):
    reader.goto(f"{site}/explorer.html")
    view = reader.frame_locator("iframe").locator(".infogan-explorer[data-drawn]")
    view.wait_for(timeout=WAIT)
    drawn = "canvas => canvas.toDataURL()"
    before = view.locator("canvas.large").last.evaluate(drawn)
    slider = view.get_by_role("slider", name="c2, slant", exact=True)
    slider.focus()
    for _ in range(5):
        slider.press("ArrowRight")
    assert until(lambda: view.locator("canvas.large").last.evaluate(drawn) != before)
    reader.screenshot(path=SCREENSHOTS / "site_explorer.png")
