"""Settings of Sphinx: `poe docs` builds these pages, offline and with every warning an error."""

import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

project = "cnnvis-report"
author = "cnnvis-report contributors"
project_copyright = author
release = re.search(r'^__version__ = "(.+)"', (ROOT / "cnnvis_report/__init__.py").read_text("utf-8"), re.M)[1]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["config.cache"]

html_theme = "furo"
html_title = "cnnvis-report"
html_static_path = ["static"]
html_css_files = ["wide.css"]
html_theme_options = {"source_view_link": "", "top_of_page_buttons": []}
html_show_sourcelink = False
html_copy_source = False

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False
napoleon_use_rtype = False
html_math_renderer = "mathml"


def setup(app: Sphinx) -> None:
    """Formulas as MathML, which browsers draw themselves: MathJax would be loaded from somebody's server."""

    def inline(translator: Any, node: nodes.math) -> None:
        translator.body.append(tex2mathml(node.astext()))
        raise nodes.SkipNode

    def block(translator: Any, node: nodes.math_block) -> None:
        formula = tex2mathml(node.astext()).replace("<math ", '<math display="block" ', 1)
        translator.body.append(f'<div class="math">{formula}</div>')
        raise nodes.SkipNode

    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(block, None))
