// The TypeScript of the docs, checked against the real components.
import { join, resolve } from "node:path";
import * as ts from "typescript";
import type { TypeDoc } from "../cli/docsComponents";
import type { Fault } from "./docsKit";

/** A piece of TypeScript on a page. */
export interface Piece {
  readonly page: string;
  /** Where it begins. */
  readonly line: number;
  readonly text: string;
}

/** What a page's text has spoken of when a block uses it, unless the block declares it itself. */
const spokenOf: Readonly<Record<string, string>> = {
  config: "pulumi.Config",
  hosts: "components.Hosts",
  key: "components.OnionKey",
  news: "components.SoftmapProject",
  workers: "components.Workers",
  balancer: "components.Balancer",
};

const room = resolve(__dirname);

/**
 * What TypeScript says of the pieces, each a module of its own. A piece may leave out its imports: all of components/index.ts and `pulumi` is
 * there, and the names above. `[...]` stands for a list that is left out.
 */
export function typeFaults(pieces: readonly Piece[]): Fault[] {
  const files = new Map(pieces.map((piece, i) => [join(room, `docs-piece-${i}.ts`), moduleOf(piece)]));
  const options = strictOptions();
  const host = ts.createCompilerHost(options);
  const real = { ...host };
  host.fileExists = (name) => files.has(resolve(name)) || real.fileExists(name);
  host.readFile = (name) => files.get(resolve(name))?.text ?? real.readFile(name);
  host.getSourceFile = (name, target, ...rest) => {
    const own = files.get(resolve(name));
    return own ? ts.createSourceFile(name, own.text, target) : real.getSourceFile(name, target, ...rest);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files].flatMap(([name, { piece, head }]) => {
    const source = program.getSourceFile(name);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ messageText, start }) => {
      const at = source && start !== undefined ? source.getLineAndCharacterOfPosition(start).line - head : 0;
      const message = ts.flattenDiagnosticMessageText(messageText, " ").replaceAll(/\s+/g, " ");
      return { page: piece.page, line: piece.line + Math.max(0, at), message };
    });
  });
}

function strictOptions(): ts.CompilerOptions {
  const file = join(room, "..", "tsconfig.json");
  const read = ts.readConfigFile(file, (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(
    read.config,
    { ...ts.sys, readDirectory: () => [] },
    join(room, ".."),
  );
  return { ...options, noCheck: false, noUnusedLocals: false, noUnusedParameters: false };
}

interface Module {
  readonly piece: Piece;
  readonly text: string;
  /** Lines in front of the piece. */
  readonly head: number;
}

function moduleOf(piece: Piece): Module {
  const text = piece.text
    .replaceAll("[...]", "[]")
    .replaceAll(/from "(?:softmap|(?:\.{1,2}\/)+components)"/g, 'from "../components"');
  const own = declaredIn(text);
  const names = exportedNames().filter((name) => !own.has(name.replace("type ", "")));
  const ambient = Object.entries(spokenOf).filter(([name]) => !own.has(name));
  const head = [
    ...(own.has("pulumi") ? [] : ['import * as pulumi from "@pulumi/pulumi";']),
    'import type * as components from "../components";',
    `import { ${names.join(", ")} } from "../components";`,
    ...ambient.map(([name, type]) => `declare const ${name}: ${type};`),
    "export {};",
  ];
  return { piece, text: `${head.join("\n")}\n${text}\n`, head: head.length };
}

/** Names that a piece imports or declares at its top. */
function declaredIn(text: string): Set<string> {
  const names = new Set<string>();
  const add = (name: ts.BindingName | undefined): void => {
    if (name === undefined) return;
    if (ts.isIdentifier(name)) names.add(name.text);
    else for (const element of name.elements) if (ts.isBindingElement(element)) add(element.name);
  };
  for (const statement of ts.createSourceFile("piece.ts", text, ts.ScriptTarget.Latest).statements) {
    if (ts.isVariableStatement(statement)) for (const { name } of statement.declarationList.declarations) add(name);
    else if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) add(statement.name);
    else if (ts.isImportDeclaration(statement)) {
      const bindings = statement.importClause?.namedBindings;
      add(statement.importClause?.name);
      if (bindings && ts.isNamespaceImport(bindings)) add(bindings.name);
      else for (const { name } of bindings?.elements ?? []) add(name);
    }
  }
  return names;
}

let known: string[] | undefined;

/** Names that components/index.ts exports. */
function exportedNames(): string[] {
  if (known) return known;
  const source = ts.createSourceFile(
    "index.ts",
    ts.sys.readFile(join(room, "..", "components", "index.ts")) ?? "",
    ts.ScriptTarget.Latest,
  );
  known = source.statements.flatMap((statement) => {
    const clause = ts.isExportDeclaration(statement) ? statement.exportClause : undefined;
    if (clause === undefined || !ts.isNamedExports(clause) || !ts.isExportDeclaration(statement)) return [];
    return clause.elements.map(({ name, isTypeOnly }) =>
      isTypeOnly || statement.isTypeOnly ? `type ${name.text}` : name.text,
    );
  });
  return known;
}

/** The examples of arguments, each as a piece that gives it to its argument. */
export function examplePieces(types: readonly TypeDoc[]): Piece[] {
  return types.flatMap(({ name, module, members }) =>
    members.flatMap((member) =>
      member.example === undefined
        ? []
        : {
            page: `${module}.ts, @example of ${name}.${member.name}`,
            line: 1,
            text: `export const example: NonNullable<import("../${module}").${name}["${member.name}"]> =\n${member.example};`,
          },
    ),
  );
}
