/** As much of an SFTP server as a copy needs. */
import { closeSync, mkdirSync, openSync, statSync, writeSync, type Stats } from "node:fs";
import { utils, type SFTPWrapper } from "ssh2";

const { STATUS_CODE } = utils.sftp;

/** Serves this machine's files. */
export function serveFiles(sftp: SFTPWrapper): void {
  const answer = (request: number, work: () => void) => {
    try {
      work();
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      sftp.status(request, code === "ENOENT" ? STATUS_CODE.NO_SUCH_FILE : STATUS_CODE.FAILURE);
    }
  };
  const done = (request: number, work: () => void) =>
    answer(request, () => {
      work();
      sftp.status(request, STATUS_CODE.OK);
    });
  const number = (handle: Buffer) => handle.readUInt32BE(0);
  sftp.on("OPEN", (request, path) =>
    answer(request, () => {
      const handle = Buffer.alloc(4);
      handle.writeUInt32BE(openSync(path, "w"));
      sftp.handle(request, handle);
    }),
  );
  sftp.on("WRITE", (request, handle, offset, data) =>
    done(request, () => writeSync(number(handle), data, 0, data.length, offset)),
  );
  sftp.on("CLOSE", (request, handle) => done(request, () => closeSync(number(handle))));
  sftp.on("MKDIR", (request, path) => done(request, () => mkdirSync(path)));
  sftp.on("FSETSTAT", (request) => done(request, () => undefined));
  for (const name of ["STAT", "LSTAT"] as const) {
    sftp.on(name, (request: number, path: string) =>
      answer(request, () => sftp.attrs(request, attributes(statSync(path)))),
    );
  }
}

function attributes({ mode, uid, gid, size, atimeMs, mtimeMs }: Stats) {
  return { mode, uid, gid, size, atime: Math.trunc(atimeMs / 1_000), mtime: Math.trunc(mtimeMs / 1_000) };
}
