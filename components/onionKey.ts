import * as pulumi from "@pulumi/pulumi";
import { looksLikeKey } from "../onion/adopt";
import { readHomeFile } from "./homePath";
import { ProvidedResource } from "./providedResource";

/** Arguments of {@link OnionKey}; without any a new key is made at the first `up` and kept for ever. */
export interface OnionKeyArgs {
  /**
   * A key to adopt: base64 of tor's 96-byte hs_ed25519_secret_key, an ed25519 private key in PEM, or the name of a file
   * that holds either. A file is read by the program, so that the state has the key and not a name.
   */
  readonly key?: pulumi.Input<string | undefined>;
  /** The address that the key must have, `<56 characters>.onion`; a different one is an error that names both. */
  readonly onion?: pulumi.Input<string | undefined>;
  /**
   * Lets an address go: the old one, spelt out. Its key is replaced by `key`, or by a new one. Once it is gone this
   * does nothing, so it can stay in the config.
   */
  readonly replaceAddress?: pulumi.Input<string | undefined>;
  /** What messages call it, e.g. `site www.example.org`; the resource's name by default. */
  readonly label?: string;
}

/**
 * The key of one onion service in tor's formats, and its address. Made once; whatever happens to the hosts, the address
 * stays. Changing it is refused at preview unless `replaceAddress` names the old one, and is then an update in place.
 * @example new OnionKey("www", { key: config.getSecret("wwwKey") }, { protect: true, retainOnDelete: true }).address
 */
export class OnionKey extends ProvidedResource {
  /** `<56 characters>.onion`. Known at preview when the key was given or exists already. */
  declare readonly address: pulumi.Output<string>;
  /** tor's `hostname` file: the address and a line feed. */
  declare readonly hostname: pulumi.Output<string>;
  /** Base64 of tor's hs_ed25519_public_key, 64 bytes. */
  declare readonly publicKey: pulumi.Output<string>;
  /** Base64 of tor's hs_ed25519_secret_key, 96 bytes. Secret. */
  declare readonly secretKey: pulumi.Output<string>;

  constructor(name: string, args: OnionKeyArgs = {}, opts: pulumi.CustomResourceOptions = {}) {
    const label = args.label ?? name;
    const key = args.key === undefined ? undefined : pulumi.output(args.key).apply(keyText);
    super(
      "OnionKey",
      name,
      {
        label,
        onion: args.onion,
        replaceAddress: args.replaceAddress,
        // The engine keeps the secret mark of an input on what `check` returns under the same name, and only there:
        // so what was given travels as `secretKey`, and `check` puts tor's format in its place.
        secretKey: key === undefined ? undefined : pulumi.secret(key),
        address: undefined,
        hostname: undefined,
        publicKey: undefined,
      },
      pulumi.mergeOptions(opts, { additionalSecretOutputs: ["secretKey"] }),
    );
  }
}

/** The key itself, or the contents of the file that the text names. What was given is never in a message. */
function keyText(text: string | undefined): string | undefined {
  if (text === undefined || text === "" || looksLikeKey(text)) return text;
  const bytes = readHomeFile(text);
  if (typeof bytes === "string") return bytes;
  // As base64, unless it is text already: PEM, or base64 in a file.
  const plain = bytes.toString("latin1");
  return looksLikeKey(plain) ? plain : bytes.toString("base64");
}
