import tseslint from "typescript-eslint";

/** Rules that catch faults, not tastes: forgotten promises, Outputs printed into strings, cases left out, rooms importing backwards. */
const rooms = ["components", "plan", "config", "onion", "templates", "host", "proxy", "cli", "lab", "bench", "tests"];
const mayImport = {
  config: ["config", "plan", "onion"],
  plan: ["config", "plan"],
  onion: ["onion"],
  templates: ["templates", "plan", "config"],
  proxy: ["proxy", "plan"],
  host: ["host", "plan", "proxy"],
  components: ["components", "plan", "config", "onion", "templates", "host", "proxy"],
  cli: ["cli", "plan", "config", "onion", "templates", "host"],
  lab: ["lab", "plan", "config", "onion", "host"],
  bench: [
    "bench",
    "lab",
    "cli",
    "components",
    "plan",
    "config",
    "onion",
    "templates",
    "host",
    "proxy",
    "tests/lab/beyondKit",
    "tests/lab/beyondMeasures",
    "tests/lab/fixture",
    "tests/proxy/release",
  ],
};

/** A room that may not be imported, but for single files of it that may. */
const closed = (room, allowed) => {
  const open = allowed.filter((each) => each.startsWith(`${room}/`)).map((each) => each.slice(room.length));
  return open.length === 0 ? `${room}(/|$)` : `${room}(?!(?:${open.join("|")})$)(/|$)`;
};

const oneWay = Object.entries(mayImport).map(([room, allowed]) => ({
  files: [`${room}/**/*.ts`],
  ignores: ["**/*.test.ts"],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: rooms
          .filter((other) => !allowed.includes(other))
          .map((other) => ({
            regex: `^(\\.\\./)+${closed(other, allowed)}`,
            message: `${room}/ may import from ${allowed.join(", ")} alone (docs/architecture.md).`,
          })),
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ["node_modules/**", "**/golden/**"] },
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "max-lines": ["error", { max: 400 }],
      "max-params": ["error", { max: 4 }],
      eqeqeq: "error",
      "no-console": "off",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafeCalls: [
            { from: "package", package: "node:test", name: ["test", "it", "describe", "suite"] },
          ],
        },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true, varsIgnorePattern: "^_" }],
      "@typescript-eslint/require-await": "off",
    },
  },
  ...oneWay,
);
