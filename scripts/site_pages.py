"""Put the pages that lie outside of docs/ into the site, and lead links to them there (a hook of MkDocs).

README.md is the site's first page, and CONTRIBUTING.md, CHANGELOG.md and the README.md of docker/ and of the example
are pages of it; a file of the source that a page links to is shown with its text. So every link of a page works in the
repository and on the site.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

OUTSIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "docker/README.md": "how-to/containers.md",
    "examples/order_service/README.md": "how-to/order-service.md",
}
"""Pages that lie outside of docs/, and what they are on the site."""

LINK = re.compile(r"(?<=\]\()([^)\s:#]+)(#[^)\s]*)?(?=\))")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LANGUAGES = {".py": "python", ".lua": "lua", ".toml": "toml", ".sh": "bash"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from outside of docs/, and a page for each file of the source that a page links to."""
    root = Path(config.docs_dir).parent
    texts = {f"docs/{file.src_uri}": file.content_string for file in files.documentation_pages()}
    for name, uri in OUTSIDE.items():
        texts[name] = (root / name).read_text(encoding="utf-8")
        files.append(File.generated(config, uri, content=_led(texts[name], name)))
    linked = {target for name, text in texts.items() for target in _source_files(text, name)}
    for shown in sorted(one for one in linked if (root / one).exists()):
        files.append(File.generated(config, _uri(shown), content=_page_of(root / shown, shown)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead a page's links to what is outside of docs/ to where that is on the site."""
    return markdown if page.file.generated_by else _led(markdown, f"docs/{page.file.src_uri}")


def _targets(text: str, name: str) -> set[str]:
    """Return the files of the repository that a page links to."""
    folder = posixpath.dirname(name)
    return {posixpath.normpath(posixpath.join(folder, link)) for link, _ in LINK.findall(FENCED.sub("", text))}


def _source_files(text: str, name: str) -> set[str]:
    return {one for one in _targets(text, name) if not one.startswith(("docs/", "../")) and one not in OUTSIDE}


def _uri(target: str) -> str:
    """Return where a file of the repository is on the site."""
    if target.startswith("docs/"):
        return target.removeprefix("docs/")
    return OUTSIDE.get(target, f"source/{target}.md")


def _led(text: str, name: str) -> str:
    """Return a page's text with its links as they are on the site."""
    folder = posixpath.dirname(name)
    here = posixpath.dirname(_uri(name))

    def lead(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, match[1]))
        return posixpath.relpath(_uri(target), here or ".") + (match[2] or "")

    return LINK.sub(lead, text)


def _page_of(path: Path, name: str) -> str:
    """Return a page that shows a file's text, or what is in a folder; no search finds it."""
    inside = "\n".join(sorted(one.name for one in path.iterdir())) if path.is_dir() else None
    text = path.read_text(encoding="utf-8") if inside is None else inside
    ticks = "`" * (3 + max((len(run) for run in re.findall("`+", text)), default=0))
    language = LANGUAGES.get(path.suffix, "text")
    return f"---\nsearch:\n  exclude: true\n---\n# {name}\n\n{ticks}{language}\n{text}\n{ticks}\n"
