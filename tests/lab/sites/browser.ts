// A browser on a host of the lab: what it is to do, and what it saw.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execOn, type Lab } from "../../../lab/lab";

/** One thing that a visitor does; then it is waited until the page is there with all that it loads. `fill` comes before `click`. */
export interface Step {
  readonly name: string;
  readonly open?: string;
  /** CSS selector of a field to what is typed there. */
  readonly fill?: Readonly<Record<string, string>>;
  readonly click?: string;
  /** JavaScript, a function's body: what it returns is the step's value. */
  readonly run?: string;
  /** The same, for what takes time: it calls its last argument (`arguments[0]`) with the value. */
  readonly call?: string;
}

export interface Asked {
  readonly url: string;
  readonly method: string;
  /** 0 when none came. */
  readonly status: number;
  readonly error: string;
  readonly type: string;
}

/** What one step came to. */
export interface Seen {
  readonly name: string;
  readonly url: string;
  readonly title: string;
  readonly value: unknown;
  /** Empty, or why the step failed. */
  readonly error: string;
  readonly requests: readonly Asked[];
  readonly console: readonly { readonly level: string; readonly text: string }[];
  /** Where in the page, as it is in the browser, one of the visit's `names` stands. */
  readonly leaks: readonly string[];
  readonly seconds: number;
}

export interface Visit {
  readonly steps: readonly Seen[];
  /** Every URL that the browser's network service asked for, its own included. */
  readonly asked: readonly string[];
  /** Every address that it connected to. */
  readonly dialled: readonly string[];
  /** Every name that it tried to resolve by itself. */
  readonly resolved: readonly string[];
}

export interface VisitOptions {
  /** `ip:port` of a Tor client; none: directly. */
  readonly proxy?: string;
  /** Origins on plain http that count as secure, as an onion does in Tor Browser. */
  readonly secure?: readonly string[];
  /** Takes certificates that nobody has signed. */
  readonly selfSigned?: boolean;
  /** Names that are not to be seen in any page. */
  readonly names?: readonly string[];
}

/** Opens a browser, takes the steps one after the other, and closes it. */
export async function visit(
  lab: Lab,
  host: string,
  steps: readonly Step[],
  options: VisitOptions = {},
): Promise<Visit> {
  const { proxy = null, secure = [], selfSigned = false, names = [] } = options;
  const program = readFileSync(join(__dirname, "browse.py"), "utf8");
  const ran = await execOn(lab, host, ["python3", "-c", program], {
    input: JSON.stringify({ proxy, secure, selfSigned, names, steps }),
    timeout: 600_000,
  });
  assert.equal(ran.code, 0, `the browser failed:\n${ran.stderr.slice(-3000)}`);
  console.log(ran.stderr.trimEnd().replaceAll(/^/gm, "    "));
  if (process.env["SITES_LOG"]) writeFileSync(process.env["SITES_LOG"], ran.text);
  return JSON.parse(ran.text) as Visit;
}

/** Policies that leave nothing of Chromium but the browser: no service of its own asks for anything. */
const policies = {
  ...{ ComponentUpdatesEnabled: false, BrowserSignin: 0, SyncDisabled: true, MetricsReportingEnabled: false },
  ...{ PasswordManagerEnabled: false, PasswordLeakDetectionEnabled: false, SafeBrowsingProtectionLevel: 0 },
  ...{ DefaultSearchProviderEnabled: false, SearchSuggestEnabled: false, AlternateErrorPagesEnabled: false },
  ...{ NewTabPageLocation: "about:blank", HomepageLocation: "about:blank", ExtensionInstallBlocklist: ["*"] },
  ...{ DnsOverHttpsMode: "off", NetworkPredictionOptions: 2, TranslateEnabled: false, HttpsUpgradesEnabled: false },
};

/** Makes Chromium on that host take certificates by the lab's CA, and do nothing by itself: its operator's policies. */
export async function setUpBrowser(lab: Lab, host: string): Promise<void> {
  const script = `mkdir -p /etc/chromium/policies/managed
python3 - >/etc/chromium/policies/managed/lab.json <<'END'
import json
lines = open("/usr/local/share/ca-certificates/lab.crt").read().split("\\n")
print(json.dumps({"CACertificates": ["".join(line for line in lines if "-----" not in line)], **json.loads("""${JSON.stringify(policies)}""")}))
END`;
  const ran = await execOn(lab, host, ["sh", "-e", "-s"], { input: script });
  assert.equal(ran.code, 0, ran.stderr);
}
