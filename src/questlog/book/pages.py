"""A Sphinx extension: what the site computes while it is built, so that no page can say anything else than the code.

- directive ``query-gallery``: the named queries
- directive ``edition-comparison``: the editions beside this one
- directive ``settings-table``: every setting
- to the templates: ``manifest``, the account of the edition, for the footer; ``report_pdf``, its file if it is there
- buttons to edit a page or to open an issue, where ``repository.url`` of ``_config.yml`` names a place for them
- on the page of commands, examples as code
- the picture of the flow as the preview that other sites show of a link
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from click import Context
from docutils import nodes
from pydantic import SecretStr
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

from questlog.book import browser, comparison, gallery, manifest, pdf, preview, site
from questlog.settings import PREFIX, Settings

BOOK = "book"
LINES_AS_THEY_ARE = re.compile(r"(?:^\| .*\n?)+", re.MULTILINE)  # what sphinx-click makes of examples
QUOTED = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
BUTTONS = ("use_edit_page_button", "use_issues_button")


class _Computed(SphinxDirective):
    """A directive without arguments that stands for Markdown."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()  # what it is computed from is no file that Sphinx watches
        return list(self.parse_text_to_nodes(self.markdown(), allow_section_headings=True))

    def markdown(self) -> str:
        raise NotImplementedError

    @property
    def book(self) -> Path:
        return Path(self.env.srcdir) / BOOK


class QueryGallery(_Computed):
    """The named queries."""

    def markdown(self) -> str:
        """One section for each."""
        return gallery.markdown(self.book)


class EditionComparison(_Computed):
    """The editions beside this one."""

    def markdown(self) -> str:
        """Tables with a row or a column for each."""
        return comparison.markdown(manifest.read(self.book), site.laid_beside(self.book.parent))


class SettingsTable(_Computed):
    """Every setting."""

    def markdown(self) -> str:
        """Variable, meaning, and the value that is in force where the variable is not set."""
        values = _unless_set()
        rows = [
            (f"`{PREFIX}{name.upper()}`", f"{comparison.literal(field.description)}{values[name]}")
            for name, field in Settings.model_fields.items()
        ]
        return comparison.table(("variable", "meaning"), rows)


def _unless_set() -> dict[str, str]:
    """A sentence on each setting's default; folders are a user's own, and of what is empty the meaning says enough."""
    known: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        known[name] = field.get_default(call_default_factory=True, validated_data=known)
    hidden = {name for name, value in known.items() if isinstance(value, Path | SecretStr) or value in ("", ())}
    return {name: "" if name in hidden else f" Unless set: `{value}`." for name, value in known.items()}


DIRECTIVES: dict[str, type[_Computed]] = {
    "query-gallery": QueryGallery,
    "edition-comparison": EditionComparison,
    "settings-table": SettingsTable,
}


def _offer_buttons(app: Sphinx, config: Config) -> None:
    """Buttons that lead to the repository, if there is one to lead to."""
    there = bool(config.html_theme_options.get("repository_url"))
    config.html_theme_options |= dict.fromkeys(BUTTONS, there)
    config.ogp_site_url = config.ogp_site_url or config.html_baseurl


def _tell_templates(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    context["manifest"] = manifest.read(Path(app.srcdir) / BOOK)
    context["report_pdf"] = pdf.REPORT if browser.find() else None
    # Jupyter Book puts Thebe, which runs cells on somebody's server, on every page, and twice: browsers complain.
    context["script_files"] = [script for script in context["script_files"] if not _is_thebe(script)]
    # Sphinx marks the entries of a bibliography as no list's items: readers for the blind trip over a list of none.
    context["body"] = context.get("body", "").replace('role="list" class="citation-list"', 'class="citation-list"')


def _show_examples_as_code(app: Sphinx, command: Context, lines: list[str]) -> None:
    """A command's examples, and names between backticks, as code: in running text two hyphens become a dash."""
    examples = LINES_AS_THEY_ARE.sub(_block, "\n".join(lines))
    lines[:] = QUOTED.sub(r"``\1``", examples).split("\n")


def _block(found: re.Match[str]) -> str:
    shown = (line.removeprefix("| ") for line in found[0].splitlines())
    return "\n".join((".. code-block:: bash", "", *(f"   {line}" for line in shown), ""))


def _is_thebe(script: Any) -> bool:
    return "thebe" in f"{script.filename} {script.attributes.get('body', '')}"


def _finish(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        static = Path(app.outdir) / "_static"
        preview.save(static / preview.FILE)
        # The theme's 1.5 MB of code that draws icons is for those who add their own: its fonts have all that it uses.
        (static / "scripts" / "fontawesome.js").write_text("// The icons are in the fonts.\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this for each name in ``extra_extensions``."""
    app.setup_extension("sphinx_click")
    app.connect("sphinx-click-process-description", _show_examples_as_code)
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    app.connect("config-inited", _offer_buttons)
    app.connect("html-page-context", _tell_templates)
    app.connect("build-finished", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
