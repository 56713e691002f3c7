// What an import says of each thing that it found: where it stood, what became of it, what to do.

/** A place in what was read: a file, and its line counted from 1 where there is one. */
export interface At {
  readonly file: string;
  readonly line?: number | undefined;
}

/** One line of a report. No value of a setting is in it: some are secrets. */
export interface Entry extends At {
  /** What stood there, e.g. `set force_https`. */
  readonly what: string;
  /** The key of ours that it became. */
  readonly to?: string | undefined;
  /** What it is here, or why it is nothing here. */
  readonly why: string;
  /** What the operator does now. */
  readonly next?: string | undefined;
}

/** Something that the operator decides. */
export interface Decision extends Entry {
  readonly next: string;
  /** Whether `pulumi up` refuses the config until it is done. */
  readonly blocks: boolean;
}

/** Something that makes the import impossible. */
export interface Fault extends Entry {
  readonly next: string;
}

/** All that an import says. */
export interface Notes {
  /** What became a key of the config. */
  readonly mapped: Entry[];
  /** What has no meaning any more, and why. */
  readonly dropped: Entry[];
  readonly decisions: Decision[];
  /** With any of these nothing is written. */
  readonly faults: Fault[];
}

/** Notes without anything in them. */
export const noNotes = (): Notes => ({ mapped: [], dropped: [], decisions: [], faults: [] });

/** A text of a file as it may be printed: one line, printable, not long. */
export function shown(text: string, most = 60): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "\u{fffd}");
  return plain.length <= most ? plain : `${plain.slice(0, most)}...`;
}

/** `file:line`, or the file alone. */
export function placed({ file, line }: At): string {
  return line === undefined ? shown(file, 200) : `${shown(file, 200)}:${line}`;
}
