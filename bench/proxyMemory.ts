/** Memory of our worker process under many long downloads at a time. */
export interface Memory {
  readonly what: string;
  /** Resident set in kB: before the downloads, the highest of all looks, and some seconds after. */
  readonly before: number;
  readonly highest: number;
  readonly after: number;
  /** The most files and connections that the process had open. */
  readonly open: number;
  /** What all readers got together, as wrk says it. */
  readonly got: string;
}

export interface Downloads {
  /** An expression that finds the master process of the nginx by its command line, and nothing else. */
  readonly master: string;
  readonly url: string;
  readonly host: string;
  readonly readers: number;
  readonly seconds: number;
}

/** Shell that downloads for so many seconds and then stops; each look is a line `look RSS OPEN`. */
export function memoryScript({ master, url, host, readers, seconds }: Downloads): string {
  return `worker=$(pgrep -P "$(pgrep -f '${master}')" -f 'worker process')
look() { echo "look $(awk '/^VmRSS/ { print $2 }' /proc/$worker/status) $(ls /proc/$worker/fd | wc -l)"; }
look
wrk -t1 -c${readers} -d${seconds} --timeout ${seconds * 2} -H 'Host: ${host}' ${url} & load=$!
while kill -0 $load 2>/dev/null; do look; sleep 0.5; done
wait $load
sleep 3
look
`;
}

/** @throws Error when there is too little to say anything, or a download failed */
export function memoryOf(what: string, text: string): Memory {
  const looks = [...text.matchAll(/^look (\d+) (\d+)$/gm)].map(([, rss, open]) => [Number(rss), Number(open)] as const);
  const got = /in [\d.]+\w+, ([\d.]+[KMGT]?B) read/.exec(text)?.[1];
  const [before, after] = [looks[0]?.[0], looks.at(-1)?.[0]];
  if (looks.length < 4 || got === undefined || before === undefined || after === undefined)
    throw new Error(`no figures of memory:\n${text}`);
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(`downloads failed:\n${text}`);
  const most = (n: 0 | 1): number => Math.max(...looks.map((look) => look[n]));
  return { what, before, highest: most(0), after, open: most(1), got };
}

export function memoryTable(all: readonly Memory[]): string {
  const mb = (kb: number): string => (kb / 1024).toFixed(1);
  const rows = all.map(
    ({ what, before, highest, after, open, got }) =>
      `| ${what} | ${mb(before)} | ${mb(highest)} | ${mb(after)} | ${open} | ${got} |`,
  );
  const head = "| page of 100 MB | RSS before, MiB | highest | after | open files and connections | all readers got |";
  return [head, "| --- | --- | --- | --- | --- | --- |", ...rows].join("\n");
}
