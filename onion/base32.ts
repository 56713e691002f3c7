// RFC 4648 base32 as tor writes it: lower case, no padding. Only whole groups of 5 bytes / 8 characters
// occur here (a v3 address is 35 bytes, 56 characters), so there is no padding to get wrong.
const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

/** Bytes (a multiple of 5) to lower case base32. */
export function encodeBase32(bytes: Uint8Array): string {
  if (bytes.length % 5 !== 0) throw new RangeError(`base32: ${bytes.length} bytes is not a multiple of 5`);
  let text = "";
  let value = 0;
  let bits = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet.charAt((value >> bits) & 31);
    }
  }
  return text;
}

/** Lower case base32 (a multiple of 8 characters) to bytes; undefined when the text is something else. */
export function decodeBase32(text: string): Uint8Array | undefined {
  if (text.length % 8 !== 0) return undefined;
  const bytes = new Uint8Array((text.length / 8) * 5);
  let value = 0;
  let bits = 0;
  let at = 0;
  for (const character of text) {
    const digit = alphabet.indexOf(character);
    if (digit < 0) return undefined;
    value = ((value << 5) | digit) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (value >> bits) & 255;
    }
  }
  return bytes;
}
