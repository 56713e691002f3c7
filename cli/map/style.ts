// How a picture looks, by day and by night. Colours stand in plain rules, not in variables: viewers that know no variables show the day.

/** One set of colours. */
export interface Palette {
  readonly page: string;
  readonly panel: string;
  readonly card: string;
  readonly line: string;
  readonly strong: string;
  readonly quiet: string;
  readonly ok: string;
  readonly trouble: string;
  readonly troubleCard: string;
  readonly unknown: string;
  readonly wire: string;
  /** What is drawn on a sign of health. */
  readonly onSign: string;
}

/** On a light page. */
export const day: Palette = {
  ...{ page: "#ffffff", panel: "#f6f8fa", card: "#ffffff", line: "#d0d7de", strong: "#1f2328", quiet: "#59636e" },
  ...{
    ok: "#1a7f37",
    trouble: "#c11a28",
    troubleCard: "#ffebe9",
    unknown: "#636c76",
    wire: "#7d4698",
    onSign: "#ffffff",
  },
};

/** On a dark page. */
export const night: Palette = {
  ...{ page: "#0d1117", panel: "#151b23", card: "#0d1117", line: "#3d444d", strong: "#f0f6fc", quiet: "#9ea7b1" },
  ...{
    ok: "#3fb950",
    trouble: "#ff7b72",
    troubleCard: "#3a1517",
    unknown: "#9ea7b1",
    wire: "#bc8cdb",
    onSign: "#0d1117",
  },
};

const shape = `
.map text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"Liberation Sans","DejaVu Sans",sans-serif}
.map .bold{font-weight:600}
.map .end{text-anchor:end}
.map .box{stroke-width:1}
.map .box.trouble{stroke-width:2}
.map .box.unknown{stroke-dasharray:4 3}
.map .wire{fill:none;stroke-width:2}
.map .wire.unknown{stroke-dasharray:6 4}
.map .wire.trouble{stroke-dasharray:2 4;stroke-width:3}
.map .wire.idle{stroke-dasharray:1 5;stroke-width:2}
.map .sign path{fill:none;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.map .sign.unknown circle{fill:none;stroke-width:1.5;stroke-dasharray:2 2}
.map .sign text{font-size:11px;font-weight:700;text-anchor:middle}
.map .point.free,.map .point.missing{fill:none}`;

const paint = (c: Palette): string => `
.map .page{fill:${c.page}}
.map .panel{fill:${c.panel};stroke:${c.line}}
.map .card{fill:${c.card};stroke:${c.line}}
.map .card.ok{stroke:${c.line}}
.map .panel.trouble{stroke:${c.trouble}}
.map .card.trouble{fill:${c.troubleCard};stroke:${c.trouble}}
.map .strong,.map .plain{fill:${c.strong}}
.map .quiet{fill:${c.quiet}}
.map text.trouble{fill:${c.trouble}}
.map .wire{stroke:${c.wire}}
.map .wire.unknown,.map .wire.idle{stroke:${c.unknown}}
.map .wire.trouble{stroke:${c.trouble}}
.map .sign.ok circle{fill:${c.ok}}
.map .sign.trouble .body{fill:${c.trouble};stroke:${c.trouble}}
.map .sign path.on{stroke:${c.onSign}}
.map .sign.unknown circle{stroke:${c.unknown}}
.map .sign.unknown text{fill:${c.unknown}}
.map .point.used{fill:${c.wire};stroke:${c.wire}}
.map .point.missing{stroke:${c.trouble}}
.map .point.planned{fill:none;stroke:${c.wire}}
.map .point.free{stroke:${c.line}}`;

/** The style of a picture. */
export const style = `${shape}${paint(day)}
@media (prefers-color-scheme:dark){${paint(night)}
}
`;

const pagePaint = (c: Palette): string => `
body{background:${c.page};color:${c.strong}}
input{background:${c.card};color:${c.strong};border:1px solid ${c.quiet}}
p,th{color:${c.quiet}}
td,th{border-bottom:1px solid ${c.line}}
.trouble{color:${c.trouble}}
.map [tabindex]:focus-visible>.box,.map .found>.box{stroke:${c.wire};stroke-width:3}`;

/** What a page has around its picture. */
export const pageStyle = `
body{margin:0;font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"Liberation Sans","DejaVu Sans",sans-serif}
form{padding:16px 24px 0}
input{font:inherit;padding:5px 10px;border-radius:6px;width:18em;max-width:60vw}
.frame{overflow:auto}
.map{display:block}
.map [tabindex]{outline:none}
.map .thing,.map .wire{transition:opacity .12s}
.map .dim{opacity:.2}
.map .lit{stroke-width:4}
details{padding:0 24px 24px}
summary{cursor:pointer}
table{border-collapse:collapse;margin:12px 0 24px}
td,th{text-align:left;padding:3px 18px 3px 0;font-weight:inherit;vertical-align:top}
caption{text-align:left;font-weight:600}
@media (prefers-reduced-motion:reduce){.map .thing,.map .wire{transition:none}}${pagePaint(day)}
@media (prefers-color-scheme:dark){${pagePaint(night)}
}
`;
