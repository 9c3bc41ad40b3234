"""Links, anchors, citations, alternative texts and launch buttons of the built pages, offline."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import yaml
from bs4 import BeautifulSoup
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


@cache
def read(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@cache
def anchors(path: Path) -> set[str]:
    return {
        str(tag.get(key)) for tag in read(path).find_all() for key in ("id", "name")
    }


def broken_links(site: Path) -> list[str]:
    """Every relative link whose file or anchor does not exist."""
    pages = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    broken = []
    for page in pages:
        for tag in read(page).find_all(href=True) + read(page).find_all(src=True):
            link = tag.get("href") or tag.get("src")
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (
                (page.parent / unquote(parts.path)).resolve() if parts.path else page
            )
            fragment = unquote(parts.fragment)
            if not target.is_file():
                broken.append(f"{page.relative_to(site)}: {link}: no such file")
            elif "=" in fragment and read(target).select_one(".playground-place"):
                continue  # a state of the playground; test_playground.py opens it
            elif (
                fragment
                and target.suffix == ".html"
                and fragment not in anchors(target)
            ):
                broken.append(f"{page.relative_to(site)}: {link}: no such anchor")
    return broken


def poor_alt_texts(page: Path) -> list[str]:
    """Images in the article whose text alternative does not say what they show."""
    return [
        f"{page.name}: {image.get('src', '')[:80]}: alt is {image.get('alt')!r}"
        for image in read(page).select("article img")
        if image.get("role") != "presentation"
        and not says_something(str(image.get("alt") or ""))
    ]


def says_something(alt: str) -> bool:
    return len(alt) >= 15 and " " in alt.strip()  # a path has no spaces


def unresolved(page: Path) -> list[str]:
    """Citations and references that Sphinx could not resolve."""
    article = read(page).select_one("article")
    marks = [str(tag)[:120] for tag in article.select(".problematic, .system-message")]
    return marks + [
        str(text) for text in article.find_all(string=lambda text: "[?]" in text)
    ]


def test_internal_links_and_anchors(site: Path) -> None:
    assert broken_links(site) == []


def test_citations_and_references(built_pages: list[Path]) -> None:
    assert [line for page in built_pages for line in unresolved(page)] == []


def test_images_have_text_alternatives(built_pages: list[Path]) -> None:
    assert [line for page in built_pages for line in poor_alt_texts(page)] == []


def test_pages_have_descriptions(built_pages: list[Path]) -> None:
    bare = [
        page.name
        for page in built_pages
        if not read(page).select("meta[name=description]")
    ]
    assert bare == []


def previews(page: Path) -> dict[str, str]:
    """What a preview of a link to a page is made of."""
    tags = read(page).select("meta[property^='og:'], meta[name^='twitter:']")
    return {tag.get("property") or tag["name"]: str(tag["content"]) for tag in tags}


def test_pages_have_previews(site: Path, built_pages: list[Path]) -> None:
    config = yaml.safe_load((ROOT / "_config.yml").read_text())["sphinx"]["config"]
    address = config["ogp_site_url"]
    described = set()
    for page in built_pages:
        seen = previews(page)
        assert seen["og:title"] in read(page).title.string
        assert seen["og:url"] == f"{address}{page.relative_to(site).as_posix()}"
        assert seen["twitter:card"] == "summary_large_image"
        assert says_something(seen["og:image:alt"])
        picture = site / seen["og:image"].removeprefix(address)
        with Image.open(picture) as image:
            assert image.size == (1200, 630)
        assert 40 < len(seen["og:description"]) <= 303
        described.add(seen["og:description"])
    assert len(described) == len(built_pages)


def test_pages_are_published_where_previews_point() -> None:
    """GitHub gives a project's pages the owner's host and the project's name."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    owner, name = urlsplit(config["repository"]["url"]).path.strip("/").split("/")
    address = f"https://{owner}.github.io/{name}/"
    assert config["sphinx"]["config"]["ogp_site_url"] == address
    assert f"]({address})" in (ROOT / "README.md").read_text()
    assert f"url: {address}\n" in (ROOT / "CITATION.cff").read_text()
    assert "deploy-pages" in (ROOT / ".github/workflows/book.yml").read_text()


def test_pages_lead_to_an_issue_with_their_name(built_pages: list[Path]) -> None:
    repository = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]
    for page in built_pages:
        (link,) = read(page).select(".bd-footer-article a.ask-or-report")
        parts = urlsplit(str(link["href"]))
        assert f"https://{parts.netloc}{parts.path}" == (
            f"{repository['url']}/issues/new"
        )
        asked = parse_qs(parts.query)
        heading = read(page).select_one("article h1").find(string=True)
        assert asked["title"] == [f"{heading.strip()}: "]
        assert f"book/{page.stem}, {repository['branch']}" in asked["body"][0]


def test_launch_buttons_open_the_notebook(site: Path, chapter: str) -> None:
    repository = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))[
        "repository"
    ]
    path = urlsplit(repository["url"]).path
    links = {
        str(tag["href"])
        for tag in read(site / f"{chapter}.html").find_all("a", href=True)
    }
    notebook = f"{chapter}.ipynb"
    branch = repository["branch"]
    assert (
        f"https://colab.research.google.com/github{path}/blob/{branch}/{notebook}"
        in links
    )
    assert (ROOT / notebook).is_file()


def test_these_checks_can_fail(tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text(
        "<article id=top><a href='#top'>good</a><a href='missing.html'>no file</a>"
        "<a href='bad.html#nowhere'>no anchor</a><img src='bad.html' alt='../_images/a.png'>"
        "<img src='bad.html'><span class=problematic>{cite}`x`</span>See [?].</article>",
        encoding="utf-8",
    )
    assert broken_links(tmp_path) == [
        "bad.html: missing.html: no such file",
        "bad.html: bad.html#nowhere: no such anchor",
    ]
    assert len(poor_alt_texts(page)) == 2
    assert len(unresolved(page)) == 2


def test_old_addresses_forward_to_the_new_ones(site, server_url, page_factory):
    config = yaml.safe_load((ROOT / "_config.yml").read_text())["sphinx"]
    for old, new in config["config"]["redirects"].items():
        page = page_factory(width=1280)
        page.goto(f"{server_url}/{old}.html")
        page.wait_for_url(f"**/book/{new}")
        assert page.problems == []
