import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Box, type Drawing, layout } from "./layout";
import { svgOf } from "./svg";
import { pageOf } from "./page";
import { day, night, type Palette } from "./style";
import { fitted, widthOf } from "./text";
import { type Size, topologyOfSize, xmlFault } from "./testKit";

const name = fc.oneof(
  fc.string({ maxLength: 70 }),
  fc.string({ unit: "binary", maxLength: 70 }),
  fc.constantFrom(
    "",
    "<script>",
    "]]>",
    "&amp;",
    `"'`,
    "W".repeat(90),
    "--",
    "\u202e",
    "\ud800",
    "-->",
    "a\nb",
    "__proto__",
  ),
);
const size: fc.Arbitrary<Size> = fc.record({
  balancers: fc.nat(3),
  workers: fc.nat(4),
  projects: fc.nat(3),
  daemons: fc.nat(4),
  sites: fc.nat(4),
  name,
  healths: fc.array(fc.constantFrom("ok", "trouble", "unknown"), { minLength: 1, maxLength: 5 }),
});
/** 30 workers with 60 daemons each, and 100 sites. */
const large: Size = { balancers: 2, workers: 30, projects: 20, daemons: 3, sites: 5 };
const sizes: readonly Size[] = [
  { balancers: 0, workers: 0, projects: 0, daemons: 0, sites: 0 },
  { balancers: 1, workers: 1, projects: 1, daemons: 1, sites: 1 },
  { ...large, healths: ["ok", "trouble", "unknown"] },
  { balancers: 1, workers: 30, projects: 1, daemons: 60, sites: 100 },
];

/** Of every drawing of a stack of any size, with any names. */
function always(check: (drawing: Drawing, size: Size) => void): void {
  for (const each of sizes) check(layout(topologyOfSize(each)), each);
  fc.assert(
    fc.property(size, (each) => check(layout(topologyOfSize(each)), each)),
    { numRuns: 60 },
  );
}

const within = (inner: Box, outer: Pick<Box, "x" | "y" | "width" | "height">): boolean =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;
const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

test("boxes of the same parent do not overlap; each lies within its parent, or in the picture", () =>
  always(({ boxes, ...picture }) => {
    const byId = new Map(boxes.map((box) => [box.id, box]));
    assert.equal(byId.size, boxes.length, "ids are unique");
    for (const box of boxes) {
      const parent = box.parent === undefined ? { x: 0, y: 0, ...picture } : byId.get(box.parent);
      assert.ok(parent !== undefined && within(box, parent), box.id);
    }
    for (const group of Map.groupBy(boxes, ({ parent }) => parent).values())
      for (const [i, a] of group.entries())
        for (const b of group.slice(i + 1)) assert.ok(!overlap(a, b), `${a.id} and ${b.id}`);
  }));

test("text lies within its box, and none of a line over another", () =>
  always(({ boxes }) => {
    for (const box of boxes) {
      const spans = box.labels.map(({ text, x, y, font, end }) => {
        const width = widthOf(text, font);
        const [from, to] = end ? [x - width, x] : [x, x + width];
        assert.ok(from >= box.x && to <= box.x + box.width, `${box.id}: ${text}`);
        assert.ok(y - font.size >= box.y && y <= box.y + box.height - 3, `${box.id}: ${text}`);
        return { from, to, y };
      });
      for (const [i, a] of spans.entries())
        for (const b of spans.slice(i + 1)) assert.ok(a.y !== b.y || a.to <= b.from || b.to <= a.from, box.id);
      if (box.meter) assert.ok(box.meter.x + box.meter.limit * 8 <= box.x + box.width);
    }
  }));

test("every machine, site and backend is drawn exactly once", () =>
  always(({ boxes }, { balancers, workers, projects, daemons, sites }) => {
    const found = (kind: Box["kind"]): number => boxes.filter((box) => box.kind === kind).length;
    assert.deepEqual(
      [found("balancer"), found("worker"), found("project"), found("daemon"), found("site")],
      [balancers, workers, projects, workers * projects * daemons, projects * sites],
    );
  }));

test("a line for each site of each balancer that publishes, and for each project of each worker; it ends at boxes", () =>
  always(({ boxes, edges }, { balancers, workers, projects, sites }) => {
    const byId = new Map(boxes.map((box) => [box.id, box]));
    assert.equal(edges.length, Math.min(balancers, 2) * projects * sites + workers * projects);
    for (const { from, to, points } of edges) {
      const [start, end] = [byId.get(from), byId.get(to)];
      const [first, last] = [points[0], points.at(-1)];
      assert.ok(start && end && first && last, `${from} ${to}`);
      assert.equal(first[0], start.x + start.width);
      assert.ok(first[1] > start.y && first[1] < start.y + start.height);
      assert.equal(last[0], end.x);
      assert.ok(last[1] > end.y && last[1] < end.y + end.height, `${from} ${to}`);
      for (const [i, [x, y]] of points.slice(1).entries()) assert.ok(points[i]?.[0] === x || points[i]?.[1] === y);
    }
  }));

test("any name gives well-formed XML, with the name as text and nothing else", () => {
  for (const each of sizes) assert.equal(xmlFault(svgOf(topologyOfSize(each))), undefined);
  fc.assert(
    fc.property(size, (each) => {
      const svg = svgOf(topologyOfSize(each));
      assert.equal(xmlFault(svg), undefined);
      const named = [...svg.matchAll(/<([a-z]+)[\s>]/g)].map(([, tag]) => tag);
      const known = ["svg", "title", "desc", "style", "rect", "g", "path", "circle", "text"];
      assert.deepEqual(
        named.filter((tag) => !known.includes(tag ?? "")),
        [],
      );
      const page = pageOf(topologyOfSize(each));
      assert.equal(page.match(/<script/g)?.length, 1);
      assert.equal(page.match(/<meta/g)?.length, 5);
      assert.ok(!/\s(?:src|href)=|url\(|@import/i.test(page.replaceAll(/>[^<]*</g, "><").replaceAll(/"[^"]*"/g, '""')));
    }),
    { numRuns: 60 },
  );
});

test("what the check of XML refuses", () => {
  const bad = [
    "<a>",
    "<a></b>",
    "<a>&</a>",
    "<a b=c/>",
    '<a b="1" b="2"/>',
    "<a/><a/>",
    "<a>\u0001</a>",
    "x<a/>",
    "<a><</a>",
    '<a b="<"/>',
  ];
  for (const text of bad) assert.notEqual(xmlFault(text), undefined, text);
  assert.equal(xmlFault('<!-- c -->\n<a b="&lt;">x<b/></a>\n'), undefined);
});

test("text is shortened to what there is room for, and its end is kept", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 80 }),
      fc.double({ min: 0, max: 400, noNaN: true }),
      (text, room) => {
        assert.ok(widthOf(fitted(text, room, { size: 12 }), { size: 12 }) <= room);
      },
    ),
  );
  assert.match(fitted("a-very-long-worker-name-1", 90, { size: 12 }), /^a-v.*….*-1$/);
  assert.equal(fitted("worker1", 90, { size: 12 }), "worker1");
});

test("a large stack is drawn within a second or two, the same each time", () => {
  const start = performance.now();
  const [first, second] = [svgOf(topologyOfSize(large)), svgOf(topologyOfSize(large))];
  assert.ok(performance.now() - start < 10_000);
  assert.equal(first, second);
});

/** WCAG 2.1: contrast of two colours. */
function contrast(a: string, b: string): number {
  const light = (colour: string): number => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((i) => {
      const part = Number.parseInt(colour.slice(i, i + 2), 16) / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [low = 0, high = 0] = [light(a), light(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

test("text and signs can be read by day and by night", () => {
  for (const palette of [day, night]) {
    const grounds = (["page", "panel", "card"] as const).map((key) => palette[key]);
    const on = (key: keyof Palette, more: readonly string[], least: number): void =>
      [...grounds, ...more].forEach((ground) =>
        assert.ok(contrast(palette[key], ground) >= least, `${key} on ${ground}`),
      );
    on("strong", [palette.troubleCard], 4.5);
    on("quiet", [palette.troubleCard], 4.5);
    on("trouble", [palette.troubleCard], 4.5);
    for (const key of ["ok", "unknown", "wire"] as const) on(key, [], 3);
    for (const key of ["ok", "trouble"] as const) assert.ok(contrast(palette.onSign, palette[key]) >= 3, key);
  }
});
