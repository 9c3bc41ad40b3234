// Print Lighthouse's accessibility score and the failed audits of each page, as JSON.
// Usage: node lighthouse.mjs CHROMIUM 'JSON list of its arguments' URL...
// A snapshot of the loaded page runs the same audits as Lighthouse's command, which would wait
// ten seconds a page for silence. puppeteer-core comes with lighthouse.
import { snapshot } from "lighthouse";
import puppeteer from "puppeteer-core";

const [executablePath, args, ...urls] = process.argv.slice(2);
const browser = await puppeteer.launch({ executablePath, args: JSON.parse(args) });
const flags = {
  onlyCategories: ["accessibility"],
  formFactor: "desktop",
  screenEmulation: { disabled: true },
  disableFullPageScreenshot: true,
};
const results = {};
try {
  for (const url of urls) {
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 900 });
    await page.goto(url, { waitUntil: "networkidle0" });
    const { lhr } = await snapshot(page, { flags });
    const failed = Object.values(lhr.audits).filter((audit) => audit.score === 0);
    results[url] = {
      score: lhr.categories.accessibility.score,
      failed: failed.map((audit) => audit.id),
    };
    await page.close();
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(results));
