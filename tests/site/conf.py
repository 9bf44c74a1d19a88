"""Sphinx's settings for the site of the series, which ``tests/build_site.py`` builds. No notebook is executed."""

import re

import jupyter_server_mathjax
from docutils import nodes

project = "InfoGAN, taught by running it"
extensions = ["myst_nb"]
root_doc = "README"
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]  # of a shell command that goes on in a second line

html_theme = "sphinx_book_theme"
html_title = project
html_theme_options = {"show_navbar_depth": 1, "home_page_in_toc": True, "use_fullscreen_button": False}
html_context = {"default_mode": "auto"}  # dark where the reader's system is
html_show_copyright = False
html_show_sphinx = False
html_extra_path = ["../../build/site-source/extra"]

# Formulas without a network, too: MathJax 2, as a package of the registry has it.
html_static_path = [f"{next(iter(jupyter_server_mathjax.__path__))}/static"]
mathjax_path = "MathJax.js?config=TeX-AMS-MML_HTMLorMML-full"
mathjax2_config = {
    "tex2jax": {"inlineMath": [["\\(", "\\)"]], "displayMath": [["\\[", "\\]"]], "processClass": "math"},
    "HTML-CSS": {"availableFonts": [], "webFont": "STIX-Web"},  # the one that the package has
    "showMathMenu": False,
}
myst_update_mathjax = False


def describe_figures(app, doctree):
    """Give each figure, as its description, the words that the notebook folds below it."""
    for output in doctree.findall(nodes.container):
        figures = list(output.findall(nodes.image))
        words = re.findall(r"<summary>In words</summary>(.*?)</details>", output.astext(), re.S)
        for figure, text in zip(figures, words, strict=False):
            figure["alt"] = text


def setup(app):
    app.connect("doctree-read", describe_figures)
