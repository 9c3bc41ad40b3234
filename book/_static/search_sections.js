// Takes the place of Sphinx's ranking of whole pages: ranks sections by BM25, any word counts.
(function () {
  "use strict";
  const SATURATION = 1.2, LENGTH = 0.75; // BM25's k1 and b
  const TITLE = 4; // a word in a title counts as so many in the text
  const API = 0.5; // who asks in words wants an explanation; a function's name leads there anyway
  const SHOWN = 30;

  const stemmer = new Stemmer();
  const stems = (text) => splitQuery(text.toLowerCase()).map((word) => stemmer.stemWord(word));

  function count(section) {
    const [, , , title, text] = section;
    const counts = new Map(), words = stems(text);
    const add = (weight) => (word) => counts.set(word, (counts.get(word) || 0) + weight);
    stems(title).forEach(add(TITLE));
    words.forEach(add(1));
    return { section, counts, length: words.length };
  }

  function rank(words) {
    const all = SECTIONS.map(count);
    const mean = all.reduce((sum, { length }) => sum + length, 0) / all.length;
    const rarity = new Map(words.map((word) => {
      const having = all.filter(({ counts }) => counts.has(word)).length;
      return [word, Math.log(1 + (all.length - having + 0.5) / (having + 0.5))];
    }));
    for (const item of all) {
      const norm = SATURATION * (1 - LENGTH + LENGTH * item.length / mean);
      item.score = words.filter((word) => item.counts.has(word)).reduce((sum, word) =>
        sum + rarity.get(word) * item.counts.get(word) / (item.counts.get(word) + norm), 0);
      if (item.section[0].endsWith("/api.html")) item.score *= API;
    }
    return all.filter(({ score }) => score > 0).sort((a, b) => b.score - a.score);
  }

  // What stands around the first word that was asked for, in whole words.
  function excerpt(text, words) {
    const lower = text.toLowerCase();
    const places = words.map((word) => lower.indexOf(word)).filter((place) => place >= 0);
    const before = Math.max(0, Math.min(...places, Infinity) - 80);
    const start = isFinite(before) && before > 0 ? text.indexOf(" ", before) + 1 : 0;
    const rest = text.slice(start);
    const cut = rest.length > 240 ? `${rest.slice(0, rest.lastIndexOf(" ", 240))} …` : rest;
    return start > 0 ? `… ${cut}` : cut;
  }

  function show({ section }, words) {
    const [address, page, anchor, title, text] = section;
    const item = document.createElement("li");
    const link = item.appendChild(document.createElement("a"));
    link.href = `${address}#${anchor}`;
    link.textContent = title === page ? title : `${page} › ${title}`;
    const context = item.appendChild(document.createElement("p"));
    context.className = "context";
    context.textContent = excerpt(text, words);
    words.forEach((word) => _highlightText(item, word, "highlighted"));
    Search.output.append(item);
  }

  // "Which tensor do I decode" is about a tensor and decoding: short words come in many questions,
  // and would light up inside of others.
  const telling = (words) => {
    const long = [...words].filter((word) => word.length > 2);
    return long.length ? long : [...words];
  };

  Search.query = (query) => {
    const [, searched, , typed] = Search._parseQuery(query);
    const words = telling(typed);
    localStorage.setItem("sphinx_highlight_terms", words.join(" ")); // for the page that opens
    const found = rank(telling(searched));
    found.slice(0, SHOWN).forEach((item) => show(item, words));
    Search.stopPulse();
    Search.title.textContent = "Search results";
    Search.status.textContent = found.length
      ? `${found.length} ${found.length === 1 ? "section has" : "sections have"} a word of it; ` +
        "the best first."
      : "No section has any of these words. Are they spelled as you meant?";
  };
})();
