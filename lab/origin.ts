import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureCertificates } from "./certificates";
import { LabError } from "./errors";
import { dnsConfig, originConfig, originNames, pages, UNTRUSTED } from "./originPages";
import { addresses, containerName, type Lab, type LabState } from "./places";
import { containerLabel, containerState, podman } from "./podman";
import { runAsRoot } from "./run";
import { placeSeed, SEED } from "./seeds";
import { runService } from "./services";

// nginx and dnsmasq; when one ends the container ends
const START = `dnsmasq --conf-file=${SEED}/dnsmasq.conf & nginx -c ${SEED}/nginx.conf & wait -n; echo "nginx or dnsmasq ended"; exit 1`;

/** Asks both, from inside: ready means answering. */
const READY = `import socket, ssl, sys, time
address, name, deadline = sys.argv[1], sys.argv[2], time.time() + 20
query = b"\\x00\\x01\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00" + b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + b"\\x00\\x00\\x01\\x00\\x01"
while True:
    try:
        dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); dns.settimeout(0.2); dns.sendto(query, (address, 53)); dns.recv(512)
        context = ssl.create_default_context(cafile="${SEED}/ca.crt")
        context.wrap_socket(socket.create_connection((address, 443), 1), server_hostname=name).close()
        break
    except OSError as error:
        if time.time() > deadline: sys.exit(str(error))
        time.sleep(0.05)
`;

/**
 * The test origin and the lab's DNS in one container: nginx with certificates by the lab's CA, dnsmasq. Made again when what it serves has changed.
 * @param hosted domains that hosts of the lab serve, and their addresses: the lab's DNS knows them, and its CA has certificates for them
 */
export async function ensureOrigin(
  lab: Lab,
  state: LabState,
  image: string,
  hosted: Readonly<Record<string, string>>,
): Promise<{ changed: boolean }> {
  const name = containerName(lab, "origin");
  const { origin } = addresses(state);
  const certificates = await ensureCertificates(lab, [...state.domains, ...Object.keys(hosted)]);
  const config = originConfig(state.domains, `${SEED}/certificates`, `${SEED}/www`);
  const dns = dnsConfig(origin, originNames(state.domains), state.mirror, hosted);
  const all = Object.fromEntries(originNames(state.domains).map((site) => [site, pages(site, state.domains)]));
  const ca = readFileSync(join(certificates, "ca.crt"));
  const serves = createHash("sha256")
    .update(JSON.stringify([config, dns, all, START, image]))
    .update(ca)
    .digest("hex")
    .slice(0, 16);
  if ((await containerState(name)) === "running" && (await containerLabel(name, "softmap.serves")) === serves)
    return { changed: false };
  await podman(["rm", "-f", "-t", "0", name], { mayFail: true });
  await placeSeed(lab, "origin", (folder) => {
    const put = (file: string, text: string | Buffer) => writeFileSync(join(folder, file), text);
    put("nginx.conf", config);
    put("dnsmasq.conf", dns);
    put("ca.crt", ca);
    mkdirSync(join(folder, "certificates"));
    for (const domain of [...state.domains, UNTRUSTED])
      for (const kind of ["crt", "key"])
        copyFileSync(join(certificates, `${domain}.${kind}`), join(folder, "certificates", `${domain}.${kind}`));
    for (const [site, files] of Object.entries(all)) {
      mkdirSync(join(folder, "www", site), { recursive: true });
      for (const [path, text] of Object.entries(files)) put(join("www", site, path), text);
    }
  });
  // nginx's workers are www-data: the pages, not the certificates, are theirs to read
  await readable(lab);
  await runService(lab, {
    role: "origin",
    address: origin,
    labels: [`softmap.serves=${serves}`],
    command: [image, "bash", "-c", START],
  });
  const ready = await podman(["exec", name, "python3", "-c", READY, origin, state.domains[0] ?? UNTRUSTED], {
    mayFail: true,
    timeout: 60_000,
  });
  if (ready.code !== 0) {
    const log = await podman(["logs", name], { mayFail: true });
    throw new LabError(
      `The test origin does not answer: ${ready.stderr.trim()}\n    ${(log.text + log.stderr).trim().split("\n").slice(-8).join("\n    ")}`,
      "see nginx's and dnsmasq's own words above",
    );
  }
  return { changed: true };
}

async function readable(lab: Lab): Promise<void> {
  await runAsRoot(["sh", "-c", 'chmod 755 "$1" && chmod -R u=rwX,go=rX "$1"/www', "sh", `${lab.seeds}/origin`]);
}
