// Every setting of Onionspray has its fate, and every setting of ours its origin.
import assert from "node:assert/strict";
import { test } from "node:test";
import { levels, unknownKey } from "./keys";
import { fateOf, onionspray, oursAlone } from "./onionspray";
import { projectSchema, projectSettings, siteSettings } from "./schema";

const withRegex = (names: readonly string[]): string[] => names.flatMap((name) => [name, `${name}_re`]);
const subjects = ["host", "origin", "param", "path", "referer", "user_agent"];

const names = [
  ..."force_https hard_mode left_tld_re preserve_csv preserve_preamble_re preserve_before preserve_after foreignmap_csv".split(
    " ",
  ),
  ...[1, 2, 3, 4, 5].flatMap((n) => [`nonce128_${n}`, `nonce256_${n}`]),
  ..."extra_subs_filter_types extra_processing_csv kludge_disable_sri deonionify_post_bodies drop_unrewritable_content".split(
    " ",
  ),
  ..."x_from_onion_value inject_headers_upstream inject_origin inject_referer suppress_header_csp suppress_header_hsts".split(
    " ",
  ),
  ..."suppress_header_hpkp suppress_methods_except_get suppress_tor2web cookie_lock nginx_hello_onion ssl_proof_csv".split(
    " ",
  ),
  ..."hardcoded_endpoint_csv redirect_host redirect_path redirect_fixed_host redirect_fixed_path block_err".split(" "),
  ...withRegex([...subjects, "location"].map((subject) => `block_${subject}`)),
  ...withRegex(subjects.flatMap((subject) => [`${subject}_blacklist`, `${subject}_whitelist`])),
  ..."nginx_action_abort nginx_workers softmap_nginx_workers nginx_rlim nginx_resolver nginx_timeout nginx_block_size".split(
    " ",
  ),
  ..."nginx_block_count nginx_block_busy_size nginx_tmpfile_size nginx_hash_bucket_size nginx_cache_seconds".split(" "),
  ..."nginx_cache_size nginx_cache_min_uses no_cache_content_type no_cache_host nginx_syslog log_separate".split(" "),
  ..."nginx_modules_dirs nginx_template debug_trap debug_csp_sandbox debug_origin_headers client_max_body_size".split(
    " ",
  ),
  ..."softmap_tor_workers tor_intros_per_daemon tor_single_onion tor_syslog tor_template tor_worker_prefix onion_version".split(
    " ",
  ),
  ..."ssl_cert_each_onion ssl_mkcert ssl_tool cert_common_name project projects_home template_tool script_names".split(
    " ",
  ),
  ..."script_pause cert_prefix log_dir ssl_dir nginx_proxy_ssl_trusted_certificate tor_pow_enabled tor_pow_queue_rate".split(
    " ",
  ),
  ..."tor_pow_queue_burst tor_intro_dos_defense tor_intro_dos_rate_per_sec tor_intro_dos_burst_per_sec".split(" "),
  ..."tor_max_streams tor_max_streams_close_circuit tor_export_circuit_id nginx_x_onion_circuit_id MetricsPort".split(
    " ",
  ),
  ..."onionspray_cert_days onionspray_cert_country_name onionspray_cert_state_province_name".split(" "),
  ..."onionspray_cert_locality_name onionspray_cert_organization_name onionspray_cert_organization_unit_name".split(
    " ",
  ),
  ..."ssl_protocols ssl_session_cache ssl_buffer_size proxy_temp_path client_body_temp_path proxy_cache_path".split(
    " ",
  ),
  ..."hardmap softmap foreignmap nginx-site-<onion>.onion.conf".split(" "),
];

test("every setting of Onionspray is in the table", () => {
  assert.deepEqual(Object.keys(onionspray).toSorted(), names.toSorted());
});

const keys = Object.keys(projectSchema.shape);

test("what is the same is a key of a project", () => {
  for (const [name, row] of Object.entries(onionspray))
    if (row.kind === "same") assert.ok(keys.includes(row.key), `${name}: ${row.key}`);
});

test("every setting is of Onionspray or ours alone", () => {
  const theirs = new Set(
    Object.values(onionspray).flatMap((row) => (row.kind === "same" ? row.key : row.kind === "replaced" ? row.by : [])),
  );
  const ours = [...Object.keys(siteSettings), ...Object.keys(projectSettings)];
  assert.deepEqual(
    ours.filter((key) => !theirs.has(key) && !oursAlone.includes(key)),
    [],
  );
  assert.deepEqual(
    oursAlone.filter((key) => theirs.has(key) || !keys.includes(key)),
    [],
  );
});

test("a report says of each what it is here, or why it is not", () => {
  for (const [name, row] of Object.entries(onionspray)) {
    // `project` for `projects` is a slip, whatever it is there.
    if (name === "project") continue;
    const { message, next } = unknownKey(name, levels.project, []);
    if (row.kind === "refused") assert.deepEqual([message, next], [row.why, "Remove it."], name);
    if (row.kind === "same" && row.key !== name) assert.equal(next, `Here it is ${row.key}.`, name);
    if (row.kind === "replaced") assert.equal(message, row.why, name);
  }
  assert.equal(fateOf("FORCE_HTTPS")?.kind, "same");
  assert.equal(fateOf("hardMode")?.kind, "replaced");
  assert.equal(fateOf("colour"), undefined);
});
