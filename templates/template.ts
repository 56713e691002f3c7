import type { Language } from "./quote";

/** One kind of file: its language, its sources, and what its template can see besides the model. */
export interface Template<Model> {
  readonly language: Language;
  /** Names of the .ejs files, the first is the file itself, the others are parts that it includes. */
  readonly sources: readonly string[];
  /** What the file is, for messages: "torrc of backend daemon news-1". */
  readonly title: (model: Model) => string;
  /** Values worked out from the model for the template's convenience. */
  readonly locals: (model: Model) => Record<string, unknown>;
}
