/** remote.CopyToRemote: files over SFTP, in place, one after the other, on a connection of their own. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, posix } from "node:path";
import type { SFTPWrapper, Stats } from "ssh2";
import { dial, type Connection } from "./connection";
import type { Context } from "./context";
import type { Source } from "../shared/values";

/** SSH_FX_NO_SUCH_FILE and SSH_FX_PERMISSION_DENIED, draft-ietf-secsh-filexfer-02 section 7. */
const noSuchFile = 2;
const permissionDenied = 3;

/** Copies the source; a folder is merged into what is there, nothing is ever deleted, modes and owners stay. */
export async function copyToRemote(connection: Connection, source: Source, to: string, context: Context) {
  const client = await dial(connection, context);
  try {
    const sftp = await new Promise<SFTPWrapper>((resolve, reject) =>
      client.sftp((error, opened) => (error ? reject(error) : resolve(opened))),
    );
    await new Copy(sftp).run(source, to);
    await context.flushed();
  } finally {
    client.end();
  }
}

class Copy {
  constructor(private readonly sftp: SFTPWrapper) {}

  async run(source: Source, to: string): Promise<void> {
    const there = await this.stat(to);
    if (source.path === undefined) {
      if (there?.isDirectory()) {
        throw new Error(`remote path ${to} is a directory; when using a text asset, remotePath must be a file path`);
      }
      await this.makeFolders(posix.dirname(to));
      return this.write(to, Buffer.from(source.text ?? ""));
    }
    if (!statSync(source.path).isDirectory()) {
      if (!there) await this.makeFolders(posix.dirname(to));
      const target = there?.isDirectory() ? posix.join(to, basename(source.path)) : to;
      return this.write(target, readFileSync(source.path));
    }
    // "folder/" copies what is in it, "folder" copies it by name.
    const target = source.path.endsWith("/") ? to : posix.join(to, basename(source.path));
    if (there && !there.isDirectory()) throw new Error(`remote path ${to} exists but is not a directory`);
    await this.makeFolders(to);
    await this.folder(source.path, target);
  }

  private async folder(from: string, to: string): Promise<void> {
    const there = await this.stat(to);
    if (there && !there.isDirectory()) throw new Error(`remote path ${to} exists but is not a directory`);
    if (!there) await this.makeFolders(to);
    for (const entry of readdirSync(from).sort()) {
      const source = join(from, entry);
      if (statSync(source).isDirectory()) await this.folder(source, posix.join(to, entry));
      else await this.write(posix.join(to, entry), readFileSync(source));
    }
  }

  private async makeFolders(path: string): Promise<void> {
    if (path === "." || path === "/" || (await this.stat(path))) return;
    await this.makeFolders(posix.dirname(path));
    await this.ask(`failed to create remote directory ${path}`, (done) => this.sftp.mkdir(path, done));
  }

  private write(path: string, content: Buffer): Promise<void> {
    return this.ask(`failed to create remote file ${path}`, (done) => this.sftp.writeFile(path, content, done));
  }

  private stat(path: string): Promise<Stats | undefined> {
    return new Promise((resolve, reject) =>
      this.sftp.stat(path, (error: (Error & { code?: number }) | undefined, found) => {
        if (!error) resolve(found);
        else if (error.code === noSuchFile) resolve(undefined);
        else reject(new Error(`failed to stat remote path ${path}: ${words(error)}`));
      }),
    );
  }

  private ask(what: string, call: (done: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) =>
      call((error) => (error ? reject(new Error(`${what}: ${words(error)}`)) : resolve())),
    );
  }
}

function words(error: Error & { code?: number }): string {
  if (error.code === noSuchFile) return "file does not exist";
  if (error.code === permissionDenied) return "permission denied";
  return `sftp: "${error.message}" (SSH_FX_FAILURE)`;
}
