import assert from "node:assert/strict";
import { test } from "node:test";
import { loadReport, type LoadRecord } from "../../lab/lab";
import { noticed, secondTriesAllowed } from "./noticed";

const record: LoadRecord = {
  ...{ at: 0, seconds: 1, client: "steady", site: "a.onion", path: "/", status: 200, backend: "", error: "" },
  ...{ bytes: 1, tries: 1, firstError: "" },
};
const twice: LoadRecord = { ...record, tries: 2, firstError: "SOCKS general failure (0x01)" };
const many = (count: number, one: LoadRecord): LoadRecord[] => Array.from({ length: count }, () => one);

test("a second try may be needed by three requests, or by one in a hundred", () => {
  assert.deepEqual([0, 100, 399, 400, 1000].map(secondTriesAllowed), [3, 3, 3, 4, 10]);
  assert.equal(noticed(loadReport([...many(184, record), ...many(3, twice)])), "");
  assert.match(
    noticed(loadReport([...many(490, record), ...many(10, twice)])),
    /^10 of 500 requests were tried twice, 5 may be:\n\{.*general failure.*\}/,
  );
});

test("one failed request is noticed, and named", () => {
  const failed = { ...twice, status: 0, error: "SOCKS refused (0x05)" };
  assert.match(noticed(loadReport([...many(999, record), failed])), /^1 of 1000 requests failed:\n\{.*refused.*\}$/);
});
