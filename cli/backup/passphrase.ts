// A passphrase: from a file, or from whoever sits at the terminal. Never from an argument, which every process of the machine can read.
import { readFileSync } from "node:fs";
import { BackupError } from "./seal";

/** Asks on the terminal, without showing what is typed. */
export type Ask = (question: string) => Promise<string>;

/** age's own advice is 8 to 10 random characters at least. */
const shortest = 10;

/** The passphrase that opens a file. */
export async function knownPassphrase(file: string | undefined, ask: Ask): Promise<string> {
  return file === undefined ? ask("Passphrase of the backup: ") : fromFile(file);
}

/** A passphrase for a new file: asked twice, and not too short. @throws {BackupError} */
export async function newPassphrase(file: string | undefined, ask: Ask): Promise<string> {
  const passphrase = file === undefined ? await ask("Passphrase for the backup: ") : fromFile(file);
  if (passphrase.length < shortest)
    throw new BackupError(
      `The passphrase has ${passphrase.length} characters: whoever finds the file would try them all.`,
      `take ${shortest} or more, five random words for example.`,
    );
  if (file === undefined && (await ask("The same once more: ")) !== passphrase)
    throw new BackupError("The two passphrases are not the same.", "run it again.");
  return passphrase;
}

/** The first line of a file, without its end. */
function fromFile(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw new BackupError(`The passphrase file ${file} cannot be read (${code}).`, "name a file with one line.");
  }
  const line = text.split("\n")[0]?.replace(/\r$/, "") ?? "";
  if (line === "") throw new BackupError(`The passphrase file ${file} begins with an empty line.`, "write it there.");
  return line;
}

/** Asks on this process's terminal. @throws {BackupError} where there is none, or the question is given up (Ctrl-C, Ctrl-D) */
export const askTerminal: Ask = (question) => {
  const { stdin, stderr } = process;
  if (!stdin.isTTY)
    return Promise.reject(
      new BackupError("There is no terminal to ask for the passphrase.", "give --passphrase-file FILE."),
    );
  return new Promise((resolve, reject) => {
    let typed = "";
    const end = (work: () => void): void => {
      stdin.off("data", hear);
      stdin.setRawMode(false).pause();
      stderr.write("\n");
      work();
    };
    const hear = (text: string): void => {
      for (const char of text) {
        if (char === "\r" || char === "\n") return end(() => resolve(typed));
        if (char === "\u0003" || char === "\u0004")
          return end(() => reject(new BackupError("No passphrase was given.", "run it again.")));
        if (char === "\u007f" || char === "\b") typed = [...typed].slice(0, -1).join("");
        else if (char === "\u0015") typed = "";
        else typed += char;
      }
    };
    // First of all: what is typed from the question on must not be shown.
    stdin.setRawMode(true).setEncoding("utf8").on("data", hear);
    stdin.resume();
    stderr.write(question);
  });
};
