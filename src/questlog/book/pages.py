"""A Sphinx extension: what the site computes while it is built, so that no page can say anything else than the code.

- directive ``query-gallery``: the named queries
- directive ``edition-comparison``: the editions beside this one
- directive ``settings-table``: every setting
- to the templates: ``manifest``, the account of the edition, for the footer; ``report_pdf``, its file if it is there
- buttons to edit a page or to open an issue, where ``repository.url`` of ``_config.yml`` names a place for them
- the picture of the flow as the preview that other sites show of a link
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

from questlog.book import comparison, gallery, manifest, pdf, preview, site
from questlog.settings import PREFIX, Settings

BOOK = "book"
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
        """Variable and meaning; values belong to a machine, and `questlog settings` prints them."""
        rows = [
            (f"`{PREFIX}{name.upper()}`", comparison.literal(field.description))
            for name, field in Settings.model_fields.items()
        ]
        return comparison.table(("variable", "meaning"), rows)


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
    context["report_pdf"] = pdf.REPORT if pdf.browser() else None
    # Jupyter Book puts Thebe, which runs cells on somebody's server, on every page, and twice: browsers complain.
    context["script_files"] = [script for script in context["script_files"] if not _is_thebe(script)]
    # Sphinx marks the entries of a bibliography as no list's items: readers for the blind trip over a list of none.
    context["body"] = context.get("body", "").replace('role="list" class="citation-list"', 'class="citation-list"')


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
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    app.connect("config-inited", _offer_buttons)
    app.connect("html-page-context", _tell_templates)
    app.connect("build-finished", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
