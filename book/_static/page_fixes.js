// Mends what the theme and Sphinx leave inaccessible. Each line names what it mends.
(function () {
  "use strict";
  const each = (selector, change) => document.querySelectorAll(selector).forEach(change);

  // A name that differs from the visible text: let the text be the name.
  each(".search-button-field[aria-label], details.hide > summary[aria-label]", (node) =>
    node.removeAttribute("aria-label"));
  // The color-mode button's icons carry titles of their own, which are not part of its name.
  each(".theme-switch-button .theme-switch", (node) => {
    node.removeAttribute("title");
    node.setAttribute("aria-hidden", "true");
  });
  // The book's title stands outside of all landmarks.
  each(".sidebar-primary__section .navbar-brand.logo", (node) => {
    const landmark = node.closest(".sidebar-primary-item");
    landmark.setAttribute("role", "navigation");
    landmark.setAttribute("aria-label", "Book");
  });
  // A list in the bibliography that is not made of list items.
  each(".citation-list[role=list]", (node) => node.removeAttribute("role"));
  each(".citation[role=doc-biblioentry]", (node) => node.removeAttribute("role"));
  // On a phone, rows of these tables are cards, and each entry needs the title of its column.
  each("table.cards", (table) => {
    const titles = [...table.querySelectorAll("th")].map((title) => title.textContent.trim());
    for (const row of table.tBodies[0].rows)
      [...row.cells].forEach((cell, place) => { cell.dataset.label = titles[place]; });
  });
  // The theme loads Sphinx's search on every page, which there takes the place of highlighting.
  if (!document.getElementById("search-results")) SphinxHighlight.highlightSearchWords();
  // Boxes that scroll sideways must be reachable by keyboard.
  const boxes =
    ".bd-article :is(table, pre, .output, .cell_output, .math)";
  const reach = () => each(boxes, (node) => {
    if (node.scrollWidth > node.clientWidth) node.setAttribute("tabindex", "0");
  });
  addEventListener("load", () => Promise.resolve(window.MathJax?.startup?.promise).then(reach));
  addEventListener("resize", reach);

  // On paper, answers are open and pages are light.
  const answers = ".bd-article details:not(.hide), .bd-article .tag_hide-cell > details";
  let restore = [];
  addEventListener("beforeprint", () => {
    const { theme } = document.documentElement.dataset;
    const closed = [...document.querySelectorAll(answers)].filter((node) => !node.open);
    restore = [
      () => { document.documentElement.dataset.theme = theme; },
      () => closed.forEach((node) => { node.open = false; }),
    ];
    document.documentElement.dataset.theme = "light";
    closed.forEach((node) => { node.open = true; });
  });
  addEventListener("afterprint", () => {
    restore.forEach((undo) => undo());
    restore = [];
  });
})();
