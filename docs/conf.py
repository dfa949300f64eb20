"""How Sphinx builds the site: make docs."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

# The reference is read from the docstrings, and importing Airflow makes a home.
_home = tempfile.mkdtemp(prefix="seqfix-docs-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ["AIRFLOW_HOME"] = _home
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"

from airflow_seqfix import __version__  # noqa: E402
from airflow_seqfix.sql import reset_sequences  # noqa: E402

# The script for psql can be downloaded, as `seqfix sql` of this version prints it.
_downloads = Path(__file__).parent / "_downloads"
_downloads.mkdir(exist_ok=True)
(_downloads / "reset_sequences.sql").write_text(f"{reset_sequences()}\n", encoding="utf-8")

project = "airflow-seqfix"
author = "The airflow-seqfix developers"
project_copyright = author
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
nitpicky = False
show_warning_types = True

myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline", "attrs_block"]
#: Headings can be linked to as on a repository's page.
myst_heading_anchors = 4

# A word in single backticks is code, in docstrings as well.
default_role = "code"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
add_module_names = False
python_use_unqualified_type_names = True
toc_object_entries = False

html_theme = "furo"
html_title = "airflow-seqfix"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f6f54", "color-brand-content": "#1f6f54"},
    "dark_css_variables": {"color-brand-primary": "#6fd0ab", "color-brand-content": "#6fd0ab"},
}
pygments_style = "friendly"
pygments_dark_style = "native"
