#!/usr/bin/env python3
"""Looks at the page of --report as a reader does: in headless Chromium, in both themes, wide and narrow.

    python3 scripts/report_screenshot.py                            # checks; exit code 1 when one fails
    python3 scripts/report_screenshot.py --write /tmp/report.png    # keeps the light picture, too

Needs nothing but Python and Chromium (`apt-get update && apt-get install -y chromium`, or its path in $CHROMIUM), and the
compiler: target/release/onnx2script, or --binary. What is checked is what cannot be read off the markup: colours as they are
drawn, contrast, text that is cut off or lies on other text, and pages wider than their window. Sizes and contrast come from
a copy of the page with a script in it; colours from screenshots of the page itself, which Chromium decodes as well.
"""

import argparse
import base64
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--allow-file-access-from-files"]
# Chromium's own names for what a reader prefers.
THEMES = {"light": "--blink-settings=preferredColorScheme=1", "dark": "--blink-settings=preferredColorScheme=0"}
# A model with everything that the page has: layers, a picture, logits, a gauge near its limit.
MODEL = ["models/mnist_784_64_10.onnx", "--input", "u8", "--weights", "int4", "--data", "models/mnist_samples.npy",
         "--index", "3"]
WIDE, NARROW = 1000, 380
# Of WCAG 2: text of normal size, and what is drawn.
TEXT_CONTRAST, GRAPHIC_CONTRAST = 4.5, 3.0

# Measures a page: run inside a copy of it.
MEASURE = r"""
function number(text) { return text.match(/[\d.]+/g).map(Number); }
function luminance([r, g, b]) {
  const [x, y, z] = [r, g, b].map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}
function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}
function background(element) {
  for (let at = element; at; at = at.parentElement) {
    const colour = number(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] > 0) return colour.slice(0, 3);
  }
  return [255, 255, 255];
}
function box(element) {
  const {left, top, right, bottom} = element.getBoundingClientRect();
  return [left, top + scrollY, right, bottom + scrollY].map(Math.round);
}
function measure() {
  document.querySelectorAll('details').forEach(details => details.open = true);
  const opened = document.documentElement.scrollWidth;
  document.querySelectorAll('details').forEach(details => details.open = false);
  let worst = [Infinity, ''], drawn = [Infinity, ''], texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement, style = getComputedStyle(element);
    if (!node.data.trim() || element.closest('details:not([open]) > :not(summary)')) continue;
    const colour = number(element.closest('svg') ? style.fill : style.color);
    const ratio = contrast(colour.slice(0, 3), background(element));
    texts += 1;
    if (ratio < worst[0]) worst = [ratio, node.data.trim()];
  }
  for (const bar of document.querySelectorAll('.chart rect, .chart polyline[stroke-width="2"], .gauges .hand')) {
    if (bar.getAttribute('opacity') && bar.getAttribute('opacity') !== '1') continue;
    const style = getComputedStyle(bar), fill = style.fill === 'none' ? style.stroke : style.fill;
    const ratio = contrast(number(fill).slice(0, 3), background(bar));
    if (ratio < drawn[0]) drawn = [ratio, fill];
  }
  const cut = [], overlapping = [];
  for (const svg of document.querySelectorAll('svg')) {
    const frame = svg.getBoundingClientRect();
    const labels = [...svg.querySelectorAll('text')].map(text => [text.getBoundingClientRect(), text.textContent.trim()]);
    labels.forEach(([at, text], index) => {
      if (at.left < frame.left - 1 || at.right > frame.right + 1 || at.top < frame.top - 1 || at.bottom > frame.bottom + 1)
        cut.push(text);
      for (const [other, beside] of labels.slice(index + 1)) {
        const width = Math.min(at.right, other.right) - Math.max(at.left, other.left);
        const height = Math.min(at.bottom, other.bottom) - Math.max(at.top, other.top);
        // Boxes of text hold room above and below the letters.
        if (width > 1 && height > 4) overlapping.push(text + ' / ' + beside);
      }
    });
  }
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return {
    dark: matchMedia('(prefers-color-scheme: dark)').matches,
    width: innerWidth, scrollWidth: document.documentElement.scrollWidth, opened,
    height: document.documentElement.scrollHeight,
    texts, worst, drawn, cut, overlapping,
    colours: Object.fromEntries(['--page', '--card', '--first', '--second', '--near'].map(name => [name, colour(name)])),
    sections: Object.fromEntries([...document.querySelectorAll('section')].map(section => [section.id, box(section)])),
    charts: [...document.querySelectorAll('.chart')].map(chart =>
      [chart.closest('section').id, box(chart), chart.querySelectorAll('[fill="#336699"]').length,
       chart.querySelectorAll('[fill="#996633"], [stroke="#996633"]').length]),
    gauges: box(document.querySelector('.gauges')), picture: document.querySelector('.picture img') ? box(document.querySelector('.picture img')) : null,
  };
}
"""

# Counts pixels of a screenshot: run in a page of its own.
COUNT = r"""
function count(image, questions) {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  return questions.map(([box, colour]) => {
    const [left, top, right, bottom] = box;
    const {data} = context.getImageData(left, top, right - left, bottom - top);
    const seen = new Set();
    let hits = 0;
    for (let at = 0; at < data.length; at += 4) {
      seen.add(data[at] << 16 | data[at + 1] << 8 | data[at + 2]);
      if (colour && [0, 1, 2].every(channel => Math.abs(data[at + channel] - colour[channel]) <= 3)) hits += 1;
    }
    return [hits, seen.size];
  });
}
"""


class Checks:
    """What was checked, and what failed."""

    def __init__(self) -> None:
        self.failed = 0

    def expect(self, holds: bool, what: str) -> None:
        print(f"{'ok  ' if holds else 'FAIL'} {what}")
        self.failed += not holds


class Browser:
    """Headless Chromium; each run has a profile of its own."""

    def __init__(self, folder: Path) -> None:
        names = [os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
        self.path = next((found for name in names if name and (found := shutil.which(name))), None)
        if self.path is None:
            fail("no Chromium: `apt-get update && apt-get install -y chromium`, or give its path in $CHROMIUM")
        self.folder = folder

    def run(self, page: Path, *flags: str) -> str:
        with tempfile.TemporaryDirectory(dir=self.folder) as profile:
            command = [self.path, *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()]
            ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if ran.returncode != 0:
            fail(f"Chromium failed on {page}:\n{ran.stderr[-2000:]}")
        return ran.stdout

    def answer(self, name: str, body: str, *flags: str) -> Any:
        """What a page with a script in it answers, as JSON."""
        page = self.folder / name
        page.write_text(body, encoding="utf-8")
        found = re.search(r'<pre id="answer">(.*?)</pre>', self.run(page, "--dump-dom", *flags), re.DOTALL)
        if found is None:
            fail(f"{page} gave no answer")
        return json.loads(html.unescape(found.group(1)))

    def screenshot(self, page: Path, picture: Path, height: int, *flags: str) -> Path:
        self.run(page, f"--screenshot={picture}", f"--window-size={WIDE},{height}", *flags)
        return picture


def fail(why: str) -> NoReturn:
    print(f"error: {why}", file=sys.stderr)
    sys.exit(2)


def report(binary: Path, folder: Path) -> Path:
    """The page of a model."""
    if not binary.exists():
        fail(f"no compiler at {binary}: `cargo build --release`, or give --binary")
    page = folder / "report.html"
    subprocess.run([binary, *MODEL, "-q", "-o", folder / "script.hex", "--report", page], cwd=ROOT, check=True)
    return page


def measure(browser: Browser, page: Path, width: int, theme: str) -> dict:
    """Sizes and colours of a page in a frame of so many pixels; its policy forbids scripts, so the copy has none."""
    text = page.read_text(encoding="utf-8")
    copy, removed = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    if removed != 1:
        fail("the page has no Content-Security-Policy")
    copy = copy.replace("</body>", f"<script>//<![CDATA[\n{MEASURE}\n//]]></script></body>")
    # Windows have a least width, frames have none.
    body = (f'<!DOCTYPE html><html><head><meta name="color-scheme" content="light dark"></head><body style="margin:0">'
            f'<iframe style="border:0;width:{width}px;height:900px" srcdoc="{html.escape(copy)}"></iframe>'
            '<pre id="answer"></pre><script>onload = () => document.getElementById("answer").textContent = '
            'JSON.stringify(document.querySelector("iframe").contentWindow.measure());</script></body></html>')
    return browser.answer(f"measure-{width}-{theme}.html", body, THEMES[theme], "--window-size=1200,1000")


def count(browser: Browser, picture: Path, theme: str, questions: list) -> list:
    """For boxes of a screenshot: how many pixels have a colour, and how many colours there are."""
    data = base64.b64encode(picture.read_bytes()).decode()
    body = (f'<!DOCTYPE html><html><body><img src="data:image/png;base64,{data}"><pre id="answer"></pre><script>{COUNT}\n'
            f'onload = () => document.getElementById("answer").textContent = JSON.stringify(count('
            f'document.querySelector("img"), {json.dumps(questions)}));</script></body></html>')
    return browser.answer(f"count-{theme}.html", body)


def rgb(colour: str) -> list[int]:
    return [int(colour[at:at + 2], 16) for at in (1, 3, 5)]


def check_layout(checks: Checks, theme: str, width: int, seen: dict) -> None:
    """What holds of a page whatever its width."""
    where = f"{theme}, {width} px"
    checks.expect(seen["dark"] == (theme == "dark"), f"{where}: Chromium prefers the theme that was asked for")
    checks.expect(seen["scrollWidth"] <= seen["width"], f"{where}: {seen['scrollWidth']} px wide in {seen['width']}")
    checks.expect(seen["opened"] <= seen["width"], f"{where}: {seen['opened']} px wide with all tables open")
    ratio, text = seen["worst"]
    checks.expect(seen["texts"] > 100 and ratio >= TEXT_CONTRAST,
                  f"{where}: contrast of {seen['texts']} texts at least {ratio:.1f} (`{text[:40]}`)")
    ratio, colour = seen["drawn"]
    checks.expect(ratio >= GRAPHIC_CONTRAST, f"{where}: contrast of bars, lines and gauges at least {ratio:.1f} ({colour})")
    checks.expect(not seen["cut"], f"{where}: no label is cut off {seen['cut'][:3]}")
    checks.expect(not seen["overlapping"], f"{where}: no label lies on another {seen['overlapping'][:3]}")


def check_pixels(checks: Checks, browser: Browser, page: Path, theme: str, seen: dict, folder: Path) -> tuple:
    """What is drawn where the markup says that it is; gives the picture and the page's colour."""
    picture = browser.screenshot(page, folder / f"{theme}.png", seen["height"], THEMES[theme])
    colours = {name: rgb(value) for name, value in seen["colours"].items()}
    sections = list(seen["sections"].items())
    questions = [[box, colours["--card"]] for _, box in sections]
    charts = [(section, box, name) for section, box, first, second in seen["charts"]
              for name, marks in (("--first", first), ("--second", second)) if marks]
    questions += [[box, colours[name]] for _, box, name in charts]
    questions += [[seen["gauges"], colours["--near"]], [seen["picture"], [0, 0, 0]], [seen["picture"], [255, 255, 255]]]
    questions += [[[0, 0, WIDE, 8], colours["--page"]]]
    answers = count(browser, picture, theme, questions)
    for (section, (left, top, right, bottom)), (hits, shades) in zip(sections, answers):
        share = hits / ((right - left) * (bottom - top))
        checks.expect(shades > 20 and 0.3 < share < 0.98, f"{theme}: `{section}` has {shades} colours on {1 - share:.0%} of its card")
    for (section, _, name), (hits, _) in zip(charts, answers[len(sections):]):
        # Areas of two histograms and three curves are of mixed colours: their lines, bars and outlines are not.
        least = 150 if section in ("weights", "course") else 300
        if not (section in ("weights", "course") and name == "--first" and hits == 0):
            checks.expect(hits >= least, f"{theme}: a chart of `{section}` has {hits} pixels of {name}")
    gauge, black, white, page_colour = (hits for hits, _ in answers[len(sections) + len(charts):])
    checks.expect(gauge > 500, f"{theme}: the gauge near its limit has {gauge} pixels of its colour")
    checks.expect(black > 1000 and white > 1000, f"{theme}: the picture has {black} black and {white} white pixels")
    checks.expect(page_colour == WIDE * 8, f"{theme}: the page is drawn on its own colour")
    return picture, colours["--page"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/onnx2script")
    parser.add_argument("--write", type=Path, help="keep the picture of the light theme here")
    options = parser.parse_args()
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        browser, page = Browser(folder), report(options.binary.resolve(), folder)
        pages = {}
        for theme in THEMES:
            seen = measure(browser, page, WIDE, theme)
            check_layout(checks, theme, WIDE, seen)
            check_layout(checks, theme, NARROW, measure(browser, page, NARROW, theme))
            picture, pages[theme] = check_pixels(checks, browser, page, theme, seen, folder)
            if options.write and theme == "light":
                shutil.copyfile(picture, options.write)
        apart = sum(pages["light"]) - sum(pages["dark"])
        checks.expect(apart > 500, f"the themes' pages are {apart} steps of brightness apart")
    print(f"{checks.failed} failed" if checks.failed else "all as it should be")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
