// A picture as one HTML page: nothing is loaded from anywhere, and all is there also without its script.
import { createHash } from "node:crypto";
import { mostPoints } from "../../plan/budget";
import { pageStyle, style } from "./style";
import { marker, pictureOf, titleOf, verdictOf } from "./svg";
import { escaped } from "./text";
import type { State, Topology } from "./topology";

/** The whole page. */
export function pageOf(topology: Topology): string {
  const css = `${style}${pageStyle}`;
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(css)}'`,
    `script-src '${hashOf(script)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ];
  return `<!doctype html>
${marker}
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy.join("; ")}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${escaped(`${verdictOf(topology).text}: ${titleOf(topology)}`)}</title>
<style>${css}</style>
</head>
<body>
<form role="search" hidden><label>Show <input type="search" id="filter" placeholder="a host, a site, trouble" autocomplete="off"></label> <span id="found" role="status"></span>
<p>/ to search, Esc to see all, t for the next trouble</p></form>
<div class="frame">
${pictureOf(topology, { focus: true })}
</div>
<details>
<summary>The same as tables</summary>
${tables(topology)}
</details>
<script>${script}</script>
</body>
</html>
`;
}

const hashOf = (text: string): string => `sha256-${createHash("sha256").update(text).digest("base64")}`;

/** What can be done with the page besides looking at it: search, follow the lines of what is pointed at, go from trouble to trouble. */
const script = `
(() => {
  const all = (css) => [...document.querySelectorAll(css)];
  const things = all(".thing"), wires = all(".wire"), form = document.querySelector("form");
  const filter = document.getElementById("filter"), found = document.getElementById("found");
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  const show = () => {
    const wanted = filter.value.trim().toLowerCase();
    let hits = 0;
    for (const thing of things) {
      const hit = wanted !== "" && thing.dataset.words.includes(wanted);
      const frame = thing.matches(".project,.worker,.troubles");
      thing.classList.toggle("found", hit && !frame);
      thing.classList.toggle("dim", wanted !== "" && !hit && !frame);
      if (hit) hits++;
    }
    found.textContent = wanted === "" ? "" : hits + " found";
  };
  filter.addEventListener("input", show);
  const follow = (event, on) => {
    const thing = event.target.closest && event.target.closest(".thing");
    if (!thing) return;
    const id = thing.dataset.id;
    for (const wire of wires) wire.classList.toggle("lit", on && (wire.dataset.from === id || wire.dataset.to === id));
  };
  for (const [name, on] of [["pointerover", true], ["pointerout", false], ["focusin", true], ["focusout", false]])
    document.querySelector(".map").addEventListener(name, (event) => follow(event, on));
  let at = -1;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { filter.value = ""; show(); filter.blur(); }
    else if (document.activeElement === filter) return;
    else if (event.key === "/") { event.preventDefault(); filter.focus(); }
    else if (event.key === "t") {
      const ill = things.filter((thing) => thing.querySelector(":scope > .box.trouble"));
      if (ill.length === 0) return;
      at = (at + 1) % ill.length;
      ill[at].focus();
      ill[at].scrollIntoView({ block: "center", inline: "center" });
    }
  });
})();
`;

function tables({ balancers, projects, workers }: Topology): string {
  const daemons = workers.flatMap((worker) => worker.cells.flatMap((cell) => cell.daemons));
  return [
    table(
      "Machines",
      ["machine", "what", "how"],
      [
        ...balancers.map((each) => [each.name, "balancer", said(each)]),
        ...workers.map((each) => [each.name, "worker", said(each)]),
      ],
    ),
    table(
      "Sites",
      ["site", "project", "onion", "introduction points", "how"],
      projects.flatMap(({ sites }) =>
        sites.map((site) => [
          site.domain,
          site.project,
          site.address ?? "",
          `${site.points ?? "?"}, planned ${site.planned}, of ${mostPoints}`,
          said(site),
        ]),
      ),
    ),
    table(
      "Backends",
      ["backend", "worker", "project", "onion", "how"],
      daemons.map((each) => [each.name, each.worker, each.project, each.address ?? "", said(each)]),
    ),
  ].join("\n");
}

const said = ({ health, fact, why }: State): string => [`${health}: ${fact}`, ...why].join("; ");

function table(caption: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join("")}</tr>`;
  return `<table><caption>${caption}</caption>\n${line(head, "th")}\n${rows.map((row) => line(row, "td")).join("\n")}\n</table>`;
}
