// What is rewritten beside the mapping of domains to onion addresses.
import { z } from "zod";
import { type Fault, text } from "../check";
import { domain, exampleOnion, onion } from "../domain";
import { setting } from "../setting";
import { flag, lineFault, list, mimeType } from "../values";

/** Of a project or a site. */
export const rewriting = {
  extraSubsFilterTypes: setting(
    list(mimeType, {
      description:
        "MIME types whose bodies are rewritten too, besides html, css, JavaScript, json, xml, svg, event streams and playlists.",
      unit: "MIME types",
      examples: [["text/vtt", "text/markdown"]],
    }),
    [],
  ),
  kludgeDisableSri: setting(
    flag(
      "Whether integrity attributes in html are renamed to _integrity. A rewritten script has another hash than the page says; without this a browser does not run it.",
      true,
    ),
    false,
  ),
  deonionifyPostBodies: setting(
    flag(
      "Whether onion addresses in request bodies (forms, JSON, XML, text) become domains on their way to the site.",
      true,
    ),
    false,
  ),
};

/** What is wrong with a text that is to be left alone: it is one text, no list and no expression. */
export function preserveFault(given: string): Fault | undefined {
  const fault = lineFault(given);
  if (fault) return fault;
  if (given.includes(",")) {
    return {
      message: "There is a comma in it: an entry is one text, not token,regex,flags,replacement.",
      next: "Make each text an entry of its own, e.g. [press@example.org, news@example.org].",
    };
  }
  if (/\\|\.[*+?]|\[.*\]|\(.*\)|\||^\^|\$$/.test(given)) {
    const literal = given.replaceAll(/\\b|^\^|\$$/g, "").replaceAll(/\\(.)/g, "$1");
    const plain = !/\\|\.[*+?]|\[.*\]|\(.*\)|\||^\^|\$$/.test(literal) && literal !== "";
    return {
      message: "This looks like a regular expression: a text is left alone exactly as it stands here.",
      next: plain ? `Write ${literal}.` : "Write each text out, as an entry of its own.",
    };
  }
  return undefined;
}

const preserved = text(preserveFault, {
  description: "A text, as it stands in the pages; capitals do not matter.",
  examples: ["press@example.org"],
});

const foreignMap = z
  .strictObject({
    onion: onion.meta({ description: "Its onion address." }),
    domain: domain.meta({ description: "Its domain on the web." }),
  })
  .meta({
    title: "ForeignMap",
    description: "Somebody else's site: its onion address and its domain.",
    examples: [{ onion: exampleOnion, domain: "www.example.net" }],
  });

/** Of a project only: links go from any of its sites to any other. */
export const projectRewriting = {
  foreignMaps: setting(
    list(foreignMap, {
      description: "Other people's sites that have an onion address: links to them are rewritten too, never requests.",
      examples: [[{ onion: exampleOnion, domain: "www.example.net" }]],
    }),
    [],
  ),
  preserve: setting(
    list(preserved, {
      description: "Texts in which the domains are left alone, each exactly as written: no regular expressions.",
      unit: "texts",
      examples: [["press.example.org", "pgp.example.org"]],
    }),
    [],
  ),
  onionifyEmails: setting(
    flag("Whether the domain in an e-mail address is rewritten too. Mail to an onion address arrives nowhere.", true),
    false,
  ),
};
