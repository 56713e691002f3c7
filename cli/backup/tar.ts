// Plain files in a ustar archive (POSIX.1-1988), in memory: what `tar x` reads wherever there is a shell. Ours are few, small and with short names, and
// whoever reads a backup must not be led out of a folder: so there is nothing else in here, no links, no long names.

/** Files by their path, in order. */
export type Files = ReadonlyMap<string, Uint8Array>;

const block = 512;

/** A file's path as an archive may have it: relative, without `..`, of plain ASCII; `most` bytes, as many as a name in a header has room for. */
export function plainPath(path: string, most = 100): boolean {
  const parts = path.split("/");
  return /^[\x21-\x7e]+$/.test(path) && path.length <= most && !parts.some((part) => ["", ".", ".."].includes(part));
}

/**
 * Packs files, all of mode 0600 and of one time.
 * @param seconds their time, since 1970
 * @throws an Error for a path that is not plain
 */
export function packTar(files: Files, seconds: number): Uint8Array {
  const blocks = [...files].flatMap(([path, data]) => [
    header(path, data.length, seconds),
    data,
    new Uint8Array(-data.length & (block - 1)),
  ]);
  return Buffer.concat([...blocks, new Uint8Array(2 * block)]);
}

/** Reads an archive of plain files. @throws an Error that says where it is none */
export function unpackTar(archive: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  let at = 0;
  for (;;) {
    const head = archive.subarray(at, at + block);
    if (head.length < block) throw new Error("the archive ends without its end");
    if (head.every((byte) => byte === 0)) return files;
    const { path, size } = readHeader(head);
    const data = archive.subarray(at + block, at + block + size);
    if (data.length < size) throw new Error(`the archive ends within ${path}`);
    if (files.has(path)) throw new Error(`the archive has ${path} twice`);
    files.set(path, data);
    at += block + Math.ceil(size / block) * block;
  }
}

// Where the fields of a header are: offset and length.
const fields = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  magic: [257, 8],
} as const;

function header(path: string, size: number, seconds: number): Uint8Array {
  if (!plainPath(path)) throw new Error(`an archive cannot hold the path ${path}`);
  const head = Buffer.alloc(block);
  const put = (field: keyof typeof fields, text: string) => head.write(text, fields[field][0], "latin1");
  const octal = (field: keyof typeof fields, value: number) =>
    put(field, `${value.toString(8).padStart(fields[field][1] - 1, "0")}\0`);
  put("name", path);
  octal("mode", 0o600);
  octal("uid", 0);
  octal("gid", 0);
  octal("size", size);
  octal("mtime", Math.max(0, Math.floor(seconds)));
  put("type", "0");
  put("magic", "ustar\u000000");
  put("checksum", `${sumOf(head).toString(8).padStart(6, "0")}\0 `);
  return head;
}

function readHeader(head: Uint8Array): { readonly path: string; readonly size: number } {
  const text = (field: keyof typeof fields): string => {
    const [at, length] = fields[field];
    return Buffer.from(head.subarray(at, at + length))
      .toString("latin1")
      .replace(/\0.*$/s, "");
  };
  const number = (field: keyof typeof fields): number =>
    /^ *[0-7]+ *$/.test(text(field)) ? Number.parseInt(text(field), 8) : Number.NaN;
  if (!text("magic").startsWith("ustar") || number("checksum") !== sumOf(head)) throw new Error("it is no archive");
  const path = text("name");
  if (!["0", ""].includes(text("type")) || !plainPath(path)) throw new Error("the archive holds more than plain files");
  const size = number("size");
  if (!Number.isSafeInteger(size)) throw new Error("it is no archive");
  return { path, size };
}

/** The sum of a header's bytes, its own field taken as blanks. */
function sumOf(head: Uint8Array): number {
  const [from, length] = fields.checksum;
  return head.reduce((sum, byte, at) => sum + (at >= from && at < from + length ? 32 : byte), 0);
}
