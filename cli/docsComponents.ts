// docs/components.md: the arguments of every component, from the doc comments beside them. Read by TypeScript's own compiler; nothing of components/ runs.
import { join, relative } from "node:path";
import * as ts from "typescript";
import { table } from "../config/docs";

const root = join(__dirname, "..");
const index = join(root, "components", "index.ts");

/** One argument, property or member. */
export interface MemberDoc {
  readonly name: string;
  /** As the source has it, on one line, without `readonly` and `| undefined`. */
  readonly type: string;
  readonly required: boolean;
  readonly text: string;
  readonly default: string | undefined;
  readonly example: string | undefined;
}

/** An interface of a component's arguments, or of what a component has. */
export interface TypeDoc {
  readonly name: string;
  /** The module that exports it, from the root, without extension. @example "components/workers" */
  readonly module: string;
  readonly text: string;
  /** Names of the interfaces that it takes the rest from. */
  readonly extends: readonly string[];
  readonly members: readonly MemberDoc[];
}

/** A class or a function that a program imports. */
export interface ComponentDoc {
  readonly name: string;
  readonly text: string;
  readonly examples: readonly string[];
  /** Type of the constructor's second argument, or of the function's first. */
  readonly args: string | undefined;
  readonly properties: readonly MemberDoc[];
}

/** All that a program of one's own can import, in the order of components/index.ts, and the types that their arguments name. */
export interface ComponentDocs {
  readonly components: readonly ComponentDoc[];
  readonly types: readonly TypeDoc[];
}

/** Reads the components' docs. @param file a module whose exports are documented */
export function componentDocs(file = index): ComponentDocs {
  const program = ts.createProgram([file], options, sourcesOnly());
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${relative(root, file)} is no module`);
  const exported = checker.getExportsOfModule(module).map((symbol) => aliased(symbol, checker));
  const components = exported.flatMap((symbol) => symbol.declarations?.filter(isComponent) ?? []);
  const types = new Map<string, TypeDoc>();
  const queue: ts.Node[] = [
    ...components.flatMap((each) => argsNode(each) ?? []),
    ...exported.flatMap((symbol) => symbol.declarations?.filter(ts.isInterfaceDeclaration) ?? []),
  ];
  for (const node of queue) {
    for (const found of ts.isInterfaceDeclaration(node) ? [node] : interfacesIn(node, checker)) {
      if (types.has(found.name.text)) continue;
      types.set(found.name.text, typeDoc(found, checker));
      queue.push(...found.members, ...(found.heritageClauses ?? []));
    }
  }
  return { components: components.map((each) => componentDoc(each, checker)), types: [...types.values()] };
}

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.CommonJS,
  noLib: true,
  types: [],
};

/** Our own files alone: what comes from node_modules has no docs of ours, and takes ten seconds to read. */
function sourcesOnly(): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const resolve = (name: string, from: string): ts.ResolvedModuleFull | undefined =>
    name.startsWith(".") ? ts.resolveModuleName(name, from, options, host).resolvedModule : undefined;
  host.resolveModuleNameLiterals = (literals, from) =>
    literals.map(({ text }) => ({ resolvedModule: resolve(text, from) }));
  return host;
}

const aliased = (symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

type Declared = ts.ClassDeclaration | ts.FunctionDeclaration;

const isComponent = (node: ts.Node): node is Declared => ts.isClassDeclaration(node) || ts.isFunctionDeclaration(node);

function argsNode(node: Declared): ts.TypeNode | undefined {
  if (ts.isFunctionDeclaration(node)) return node.parameters[0]?.type;
  return node.members.find(ts.isConstructorDeclaration)?.parameters[1]?.type;
}

/** Interfaces that a type names, ours alone, exported ones and others. */
function interfacesIn(node: ts.Node, checker: ts.TypeChecker): ts.InterfaceDeclaration[] {
  const found: ts.InterfaceDeclaration[] = [];
  const visit = (each: ts.Node): void => {
    if (ts.isIdentifier(each)) {
      const symbol = checker.getSymbolAtLocation(each);
      if (symbol) found.push(...(aliased(symbol, checker).declarations?.filter(ts.isInterfaceDeclaration) ?? []));
    }
    ts.forEachChild(each, visit);
  };
  visit(node);
  return found.filter((each) => /^(components|plan)\b/.test(relative(root, each.getSourceFile().fileName)));
}

function componentDoc(node: Declared, checker: ts.TypeChecker): ComponentDoc {
  const { text, tags } = docOf(node, checker);
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  const members: readonly ts.ClassElement[] = ts.isClassDeclaration(node) ? node.members : [];
  const properties = members
    .filter(ts.isPropertyDeclaration)
    .filter((member) => (ts.getCombinedModifierFlags(member) & hidden) === 0);
  return {
    name: node.name?.text ?? "",
    text,
    examples: tags("example"),
    args: argsNode(node)?.getText(),
    properties: properties.map((member) => memberDoc(member, checker)),
  };
}

function typeDoc(node: ts.InterfaceDeclaration, checker: ts.TypeChecker): TypeDoc {
  const parents = (node.heritageClauses ?? []).flatMap(({ types }) => types.map((type) => type.getText()));
  const members = node.members.filter(ts.isPropertySignature).map((member) => memberDoc(member, checker));
  const module = relative(root, node.getSourceFile().fileName).replace(/\.ts$/, "");
  return { name: node.name.text, module, text: docOf(node, checker).text, extends: parents, members };
}

function memberDoc(node: ts.PropertySignature | ts.PropertyDeclaration, checker: ts.TypeChecker): MemberDoc {
  const { text, tags } = docOf(node, checker);
  return {
    name: node.name.getText(),
    type: oneLine(node.type?.getText() ?? "")
      .replaceAll(/\breadonly /g, "")
      .replace(/ \| undefined$/, ""),
    required: node.questionToken === undefined,
    text: oneLine(text),
    default: tags("default")[0],
    example: tags("example")[0],
  };
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").trim();

function docOf(node: ts.Node, checker: ts.TypeChecker): { text: string; tags: (name: string) => string[] } {
  const name = (node as ts.NamedDeclaration).name;
  const symbol = name && checker.getSymbolAtLocation(name);
  const all = symbol?.getJsDocTags(checker) ?? [];
  const plain = (parts: readonly ts.SymbolDisplayPart[] | undefined): string =>
    linked(ts.displayPartsToString(parts as ts.SymbolDisplayPart[] | undefined)).trim();
  return {
    text: plain(symbol?.getDocumentationComment(checker)),
    tags: (tag) => all.flatMap((each) => (each.name === tag ? [plain(each.text)] : [])),
  };
}

const linked = (text: string): string => text.replaceAll(/\{@link ([^}]+)\}/g, "`$1`");

const intro = `# The components

What a Pulumi program of your own imports from \`components/index.ts\`, made from the doc comments there by \`npm run docs\`. A whole
program: [examples/own-program](../examples/own-program/index.ts). The stack program itself, [index.ts](../index.ts), uses nothing else.

Arguments of type \`pulumi.Input\` may be outputs of other resources; all others are plain values, so that names, addresses and the plan are
known at preview. Times are seconds. Whatever is wrong is told at preview, all of it at once.`;

/** Text of docs/components.md. @param docs what is documented */
export function componentsMarkdown(docs: ComponentDocs = componentDocs()): string {
  const types = new Map(docs.types.map((type) => [type.name, type]));
  const ofArgs = new Set(docs.components.map(({ args }) => bare(args ?? "")));
  const links = new Map([
    ...docs.types.map(({ name }): [string, string] => [name, name.toLowerCase()]),
    ...docs.components.map(({ name, args }): [string, string] => [bare(args ?? name), name.toLowerCase()]),
  ]);
  const components = docs.components.map((each) => componentSection(each, types, links));
  const others = docs.types.filter(({ name }) => !ofArgs.has(name)).map((type) => typeSection(type, links));
  return `${[intro, ...components, "## Types of arguments", ...others].join("\n\n")}\n`;
}

const bare = (type: string): string => type.replace(/<.*/, "");

type Links = ReadonlyMap<string, string>;

function componentSection(each: ComponentDoc, types: ReadonlyMap<string, TypeDoc>, links: Links): string {
  const args = types.get(bare(each.args ?? ""));
  return [
    `## ${each.name}`,
    each.text,
    ...each.examples.map((example) => `\`\`\`ts\n${example}\n\`\`\``),
    ...(args === undefined ? [] : [`\`${each.args ?? ""}\`:`, argumentsOf(args, links)]),
    ...(each.properties.length === 0
      ? []
      : ["What it has:", propertiesOf(each.properties, args?.members ?? [], links)]),
  ].join("\n\n");
}

function typeSection(type: TypeDoc, links: Links): string {
  return [`### ${type.name}`, type.text, argumentsOf(type, links)].join("\n\n");
}

function argumentsOf(type: TypeDoc, links: Links): string {
  const more = type.extends.map((parent) => linkOf(parent, links)).join(" and ");
  return [
    ...(type.members.length === 0 ? [] : [membersOf(type.members, links)]),
    ...(more === "" ? [] : [`And all of ${more}.`]),
  ].join("\n\n");
}

/** What nobody writes, but is given, has neither defaults nor examples. */
function membersOf(members: readonly MemberDoc[], links: Links): string {
  if (members.every(({ required, example }) => required && example === undefined))
    return propertiesOf(members, [], links);
  const rows = members.map((member) => [
    `\`${member.name}\``,
    typeCell(member.type, links),
    member.text,
    member.required ? "required" : defaultCell(member.default),
    member.example === undefined ? "" : code(member.example),
  ]);
  return table(["name", "type", "meaning", "default", "example"], rows);
}

/** A property without a comment is the argument of its name. */
function propertiesOf(properties: readonly MemberDoc[], args: readonly MemberDoc[], links: Links): string {
  const about = ({ name, text }: MemberDoc): string =>
    text === "" ? (args.find((argument) => argument.name === name)?.text ?? "") : text;
  return table(
    ["name", "type", "what"],
    properties.map((each) => [`\`${each.name}\``, typeCell(each.type, links), about(each)]),
  );
}

/** The type as the source has it, and where the interfaces in it are. */
function typeCell(type: string, links: Links): string {
  const named = [...new Set(type.match(/\b[A-Z]\w+/g) ?? [])].filter((name) => links.has(name));
  return [code(type), ...named.map((name) => `[${name}](#${links.get(name) ?? ""})`)].join(" ");
}

function linkOf(type: string, links: Links): string {
  const anchor = links.get(bare(type));
  return anchor === undefined ? code(type) : `[${type}](#${anchor})`;
}

/** A value as code, words as words. */
function defaultCell(text: string | undefined): string {
  if (text === undefined) return "none";
  return /^(["[{\d-]|true$|false$)/.test(text) && !/[;,] [a-z]/.test(text) ? code(text) : text;
}

/** In a table a bar ends a cell even in code; `table` escapes it. */
function code(text: string): string {
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}
