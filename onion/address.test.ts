import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkOnionAddress, onionAddress, publicKeyOfAddress } from "./address";
import { decodeBase32, encodeBase32 } from "./base32";

// The three examples of rend-spec-v3 [ONIONADDRESS], and two addresses that everybody knows.
const published = [
  "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion",
  "sp3k262uwy4r2k3ycr5awluarykdpag6a7y33jxop4cs2lu5uz5sseqd.onion",
  "xa4r2iadxm55fbnqgwwi5mymqdcofiu3w6rpbtqn7b2dyn7mgwj64jyd.onion",
  "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion",
  "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion",
];

test("tor's own vector: test_build_address in src/test/test_hs_common.c", () => {
  const key = Buffer.from("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "hex");
  assert.equal(onionAddress(key), "25njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkenl5sid.onion");
});

test("published addresses are valid and come back from their own key", () => {
  for (const address of published) {
    assert.equal(checkOnionAddress(address), undefined);
    assert.equal(onionAddress(publicKeyOfAddress(address)), address);
  }
});

test("every key has one address of 62 characters that holds it", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
      const address = onionAddress(key);
      assert.match(address, /^[a-z2-7]{55}d\.onion$/);
      assert.equal(checkOnionAddress(address), undefined);
      assert.deepEqual(publicKeyOfAddress(address), key);
    }),
  );
});

test("one wrong character is always noticed", () => {
  const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
  let missed = 0;
  let tried = 0;
  fc.assert(
    fc.property(key, fc.nat(55), fc.nat(31), (bytes, at, digit) => {
      const address = onionAddress(bytes);
      const other = alphabet.charAt(digit);
      if (address[at] === other) return;
      tried++;
      if (checkOnionAddress(address.slice(0, at) + other + address.slice(at + 1)) === undefined) missed++;
    }),
    { numRuns: 500 },
  );
  // 16 bits of checksum: one in 65,536 slips through by design.
  assert.ok(missed <= 1, `${missed} of ${tried} slipped through`);
});

test("faults are told apart", () => {
  const good = published[0] ?? "";
  const cases: [string, RegExp][] = [
    ["", /does not end in ".onion"/],
    [good.replace(".onion", ""), /does not end in ".onion"/],
    [`www.${good}`, /subdomain/],
    ["facebookcorewwwi.onion", /v2 address/],
    ["short.onion", /5 characters/],
    [good.toUpperCase().replace(".ONION", ".onion"), /lower case/],
    [good.replace("p", "1"), /a-z and 2-7/],
    [good.replace(/d\.onion$/, "e.onion"), /version is 4/],
    [good.replace("pg6", "pg5"), /checksum/],
    [`${good}\n`, /does not end/],
  ];
  for (const [text, message] of cases) assert.match(checkOnionAddress(text) ?? "valid", message);
  assert.throws(() => publicKeyOfAddress("short.onion"), /"short.onion" is not a v3 onion address/);
  assert.throws(() => onionAddress(new Uint8Array(31)), /32 bytes, not 31/);
});

test("base32 goes both ways and refuses what is not base32", () => {
  // RFC 4648, section 10, the vector without padding.
  assert.equal(encodeBase32(Buffer.from("fooba")), "mzxw6ytb");
  assert.deepEqual(Buffer.from(decodeBase32("mzxw6ytb") ?? []).toString(), "fooba");
  assert.equal(decodeBase32("mzxw6yt"), undefined);
  assert.equal(decodeBase32("mzxw6yt1"), undefined);
  assert.throws(() => encodeBase32(new Uint8Array(4)), RangeError);
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 5, maxLength: 5 }), { maxLength: 9 }), (groups) => {
      const bytes = new Uint8Array(groups.flatMap((group) => [...group]));
      assert.deepEqual(decodeBase32(encodeBase32(bytes)), bytes);
    }),
  );
});
