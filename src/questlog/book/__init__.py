"""The book: its chapters run by papermill on the real servers, its site built by Jupyter Book.

- `chapters`: which chapters there are, from ``_toc.yml``, and which parameters each declares
- `arguments`: the values given for a run, checked against those declarations
- `kernel`: the Python that executes a chapter is the one that runs Questlog
- `notebooks`: what of an executed notebook is kept, for the site and for a commit
- `run`: executes the chapters in order into a build folder
- `site`: builds the site from such a folder
- `browser`: finds the machine's Chromium or Chrome; `pdf` prints the report with it
- `show`, `charts`: what chapters lay before the reader
- `plain`: terminal output as plain text; `quiet`: what child processes complain of
"""
