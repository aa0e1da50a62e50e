"""Settings of the site, for sphinx. `python docs/build.py` builds it."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "extensions"), str(HERE.parent / "demos")]
os.environ.setdefault("MPLBACKEND", "agg")

import minigan as mg  # noqa: E402

project = "minigan"
author = "the authors of minigan"
copyright = author
release = mg.__version__
extensions = ["sphinx.ext.autodoc", "sphinx_gallery.gen_gallery", "runs", "notebooks"]
exclude_patterns = [
    "build",
    "gallery_header.rst",
    "gallery",
    "**/*.ipynb",
    "demos/sg_execution_times.rst",
    "sg_execution_times.rst",
]
html_theme = "alabaster"
html_theme_options = {
    "description": "Every gradient: read it, run it, check it, see it, write it.",
    "fixed_sidebar": True,
    "page_width": "1240px",
    "body_max_width": "1000px",
    "font_family": "system-ui, sans-serif",
    "head_font_family": "system-ui, sans-serif",
}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_extra_path = ["made"]
html_show_sphinx = False
html_copy_source = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # ArrayLike would be written out
highlight_language = "text"

# The demos that run in a minute together are run for their pages; the others are shown with their
# code alone, since they train for minutes.
RUN = "one_neuron|loss_microscope|show_every_gradient|dirac_gan|where_they_part"
sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "demos",
    "filename_pattern": rf"/({RUN})\.py$",
    "image_scrapers": ("gallery.pictures",),
    "reset_argv": "gallery.options",
    "reset_modules": (),
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "min_reported_time": 1e9,
    "plot_gallery": "True",
    "show_signature": False,
}
