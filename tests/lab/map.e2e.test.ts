// The pictures of `npx softmap map` in a real browser that can reach nothing: a container without a network, the pages mounted into it.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { inflateSync } from "node:zlib";
import { topologyOfSurvey } from "../../cli/map/fromSurvey";
import { pageOf } from "../../cli/map/page";
import { demoPicture, demoSurvey } from "../../cli/map/samples";
import { svgOf } from "../../cli/map/svg";
import { topologyOfSize } from "../../cli/map/testKit";
import type { Topology } from "../../cli/map/topology";
import { ensureDerivedImage, podman, stopwatch } from "../../lab/lab";
import { sitesImage } from "./sites/image";

/** Texts that reach out of their box, by more than the blur of an edge; in the units of the picture. */
const overflow = `
const wrong = [];
for (const thing of document.querySelectorAll(".thing")) {
  const box = thing.querySelector(":scope > .box").getBBox();
  for (const text of thing.querySelectorAll(":scope > text")) {
    const its = text.getBBox();
    if (its.x < box.x - 1 || its.x + its.width > box.x + box.width + 1 || its.y < box.y - 1 || its.y + its.height > box.y + box.height + 1)
      wrong.push(text.textContent + " " + Math.round(its.width) + " in " + Math.round(box.width));
  }
}
const picture = document.querySelector("svg.map"), all = picture.viewBox.baseVal;
for (const text of picture.querySelectorAll("text")) {
  const its = text.getBBox();
  if (!text.closest(".sign") && (its.x < 0 || its.x + its.width > all.width || its.y + its.height > all.height)) wrong.push("outside: " + text.textContent);
}
return wrong;`;

/** Opens each page by day and by night. stdin: {"pages": [FILE], "overflow": JS, "act": JS}. stdout: what was seen of each. */
const program = `
import json, sys, tempfile
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
plan = json.load(sys.stdin)
options = webdriver.ChromeOptions()
options.binary_location = "/usr/bin/chromium"
for flag in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run", "--window-size=1280,900", "--user-data-dir=" + tempfile.mkdtemp()]:
    options.add_argument(flag)
options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
def requests():
    heard = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [one["params"]["request"]["url"] for one in heard if one["method"] == "Network.requestWillBeSent"]
try:
    told = []
    for page in plan["pages"]:
        driver.get("about:blank")
        requests()
        driver.get_log("browser")  # of its own first page
        driver.get("file:///pages/" + page)
        seen = {"page": page, "title": driver.title, "overflow": driver.execute_script(plan["overflow"]), "shots": {}, "grounds": {}}
        seen["text"] = driver.execute_script("return [...document.querySelectorAll('svg.map text')].map((text) => text.textContent)")
        for scheme in ["light", "dark"]:
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
            seen["grounds"][scheme] = driver.execute_script("return getComputedStyle(document.querySelector('.page')).fill")
            seen["shots"][scheme] = driver.get_screenshot_as_base64()
        if page.endswith(".html"):
            body = driver.find_element(By.TAG_NAME, "body")
            body.send_keys("t")
            seen["focused"] = driver.execute_script("return document.activeElement.dataset.id ?? null")
            body.send_keys("/")
            driver.switch_to.active_element.send_keys("worker2")
            seen["found"] = driver.execute_script("return [...document.querySelectorAll('.found')].map((thing) => thing.dataset.id)")
            seen["dim"] = driver.execute_script("return document.querySelectorAll('.dim').length")
            driver.switch_to.active_element.send_keys(Keys.ESCAPE)
            seen["after"] = driver.execute_script("return document.querySelectorAll('.dim').length")
        seen["console"] = [one["message"] for one in driver.get_log("browser")]
        seen["requests"] = requests()
        told.append(seen)
    # what a page's policy is worth: the browser keeps it from loading anything, and from running what is not its own
    driver.get("file:///pages/demo.html")
    driver.execute_script("const image = new Image(); image.src = 'file:///pages/demo.svg'; document.body.append(image); const own = document.createElement('script'); own.textContent = 'window.ran = true'; document.body.append(own)")
    stopped = {"ran": driver.execute_script("return window.ran === true"), "console": [one["message"] for one in driver.get_log("browser")]}
    print(json.dumps({"pages": told, "stopped": stopped}))
finally:
    driver.quit()
`;

interface Seen {
  readonly page: string;
  readonly title: string;
  readonly overflow: readonly string[];
  readonly text: readonly string[];
  readonly shots: Readonly<Record<"light" | "dark", string>>;
  readonly grounds: Readonly<Record<"light" | "dark", string>>;
  readonly console: readonly string[];
  readonly requests: readonly string[];
  readonly focused?: string | null;
  readonly found?: readonly string[];
  readonly dim?: number;
  readonly after?: number;
}

const demo = topologyOfSurvey(demoSurvey());
const hostile = topologyOfSize({
  ...{ balancers: 2, workers: 3, projects: 2, daemons: 2, sites: 2, healths: ["trouble", "unknown", "ok"] },
  name: `<script>alert(1)</script>&"'\u202e漢字WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW\ufdfd`,
});
const ill: Topology = topologyOfSurvey({
  ...demoSurvey(),
  machines: demoSurvey().machines.map((machine) =>
    machine.name === "worker2" ? { name: "worker2", error: "203.0.113.3 does not answer" } : machine,
  ),
});
const large = topologyOfSize({ balancers: 2, workers: 30, projects: 20, daemons: 3, sites: 5 });
const pages: Readonly<Record<string, string>> = {
  "demo.svg": demoPicture(),
  "demo.html": pageOf(demo),
  "ill.html": pageOf(ill),
  "hostile.svg": svgOf(hostile),
  "hostile.html": pageOf(hostile),
  "large.html": pageOf(large),
};

const folder = mkdtempSync(join(tmpdir(), "softmap-map-"));
let told: {
  readonly pages: readonly Seen[];
  readonly stopped: { readonly ran: boolean; readonly console: readonly string[] };
};

before(async () => {
  const image = await ensureDerivedImage(sitesImage, stopwatch());
  for (const [name, text] of Object.entries(pages)) writeFileSync(join(folder, name), text);
  const line = ["run", "--rm", "-i", "--pull=never", "--network=none", "-v", `${folder}:/pages:ro`, image];
  const ran = await podman([...line, "python3", "-c", program], {
    input: JSON.stringify({ pages: Object.keys(pages), overflow }),
    timeout: 180_000,
  });
  told = JSON.parse(ran.text) as typeof told;
});
after(() => rmSync(folder, { recursive: true, force: true }));

const seen = (page: string): Seen => {
  const found = told.pages.find((each) => each.page === page);
  assert.ok(found, page);
  return found;
};

/** How many different bytes a picture's pixels have: of a blank page it is a handful. */
function variety(png: string): number {
  const bytes = Buffer.from(png, "base64");
  const parts: Buffer[] = [];
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    if (bytes.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  return new Set(inflateSync(Buffer.concat(parts))).size;
}

test("each page has its title, asks for nothing but itself, and has nothing to complain of", () => {
  for (const { page, title, requests, console: said } of told.pages) {
    if (page.endsWith(".html")) assert.match(title, /softmap stack organization\/softmap\//);
    assert.deepEqual(requests, [`file:///pages/${page}`]);
    assert.deepEqual(said, [], page);
  }
  assert.match(seen("demo.html").title, /^All is well: /);
  assert.match(seen("ill.html").title, /^Trouble in 1 place: /);
});

test("no text reaches out of its box, as the browser measures it", () => {
  for (const { page, overflow: wrong } of told.pages) assert.deepEqual(wrong, [], page);
});

test("every host, daemon and site stands there as text", () => {
  for (const page of ["demo.svg", "demo.html"]) {
    const { text } = seen(page);
    for (const name of ["balancer1", "worker1", "worker2", "court.test", "tips.test", "www.daily.test"])
      assert.equal(text.filter((each) => each === name).length, 1, name);
    assert.equal(text.filter((each) => /^tor [12]$/.test(each)).length, 4);
    assert.equal(text.filter((each) => each === "8 of 20").length, 3);
  }
  const { text } = seen("large.html");
  for (const { name } of large.workers) assert.ok(text.includes(name), name);
  for (const { domain } of large.projects.flatMap(({ sites }) => sites)) assert.ok(text.includes(domain), domain);
  assert.equal(text.filter((each) => /^tor \d$/.test(each)).length, 1800);
});

test("it is there by day and by night, and not blank", () => {
  for (const { page, shots, grounds } of told.pages) {
    assert.deepEqual(grounds, { light: "rgb(255, 255, 255)", dark: "rgb(13, 17, 23)" }, page);
    for (const shot of Object.values(shots)) assert.ok(variety(shot) > 30, page);
    assert.notEqual(shots.light, shots.dark);
  }
});

test("by the keyboard: t goes to the trouble, / searches, Esc shows all again", () => {
  assert.equal(seen("demo.html").focused, null);
  assert.match(seen("ill.html").focused ?? "", /"worker","worker2"/);
  const { found = [], dim = 0, after: left } = seen("demo.html");
  assert.ok(found.some((id) => id.includes("news-worker2-1")) && !found.some((id) => id.includes("news-worker1-1")));
  assert.ok(dim > 0);
  assert.equal(left, 0);
});

test("the browser lets nothing into the page: no picture from outside, no other script", () => {
  const { ran, console: said } = told.stopped;
  assert.equal(ran, false);
  assert.ok(
    said.some((line) => /Content Security Policy/i.test(line) && /demo\.svg/.test(line)),
    said.join("\n"),
  );
  assert.ok(said.some((line) => /script/i.test(line) && /Content Security Policy/i.test(line)));
});
