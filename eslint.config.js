/**
 * What the compiler does not see: the direction of dependencies between the rooms of assembly/, that nothing throws there,
 * and the names. `npm run lint`.
 */
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import tseslint from "typescript-eslint";
import { ROOMS } from "./tools/checks/code/rooms.mjs";

const ASSEMBLY = join(dirname(fileURLToPath(import.meta.url)), "assembly");

/** Room -> what it may import besides itself. Only filters/ and index.ts see both the domain and the host. */
const MAY_IMPORT = new Map(ROOMS.map(({ room, imports }) => [room, imports]));

const direction = {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      unknown:
        "assembly/{{room}}/ has no place in the direction of dependencies: give it one in tools/checks/code/rooms.mjs",
      against: "{{room}}/ may not import {{imported}}/: it may import {{allowed}}",
      package: "only host/ may import a package: the rest of assembly/ stands on its own",
    },
  },
  create(context) {
    const room = roomOf(context.filename);
    if (room === "") return {};
    const allowed = MAY_IMPORT.get(room);
    const check = (node) => {
      if (node.source === null) return;
      if (allowed === undefined) return context.report({ node, messageId: "unknown", data: { room } });
      if (!node.source.value.startsWith(".")) {
        if (room !== "host") context.report({ node, messageId: "package" });
        return;
      }
      const imported = roomOf(join(dirname(context.filename), node.source.value));
      if (imported === room || allowed.includes(imported)) return;
      const list = allowed.length === 0 ? "nothing" : allowed.map((name) => `${name}/`).join(", ");
      context.report({ node, messageId: "against", data: { room, imported, allowed: list } });
    };
    return { ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check };
  },
};

/** The folder of a file, from assembly/ on; empty for assembly/ itself. */
function roomOf(file) {
  return relative(ASSEMBLY, dirname(file)).split(sep).join("/");
}

const DECLARED =
  ":matches(ClassDeclaration, FunctionDeclaration, TSInterfaceDeclaration, TSTypeAliasDeclaration, TSEnumDeclaration, " +
  "TSModuleDeclaration, VariableDeclarator)";

const NAMES = [
  {
    selector: `${DECLARED} > Identifier.id[name=/(Manager|Helper|Util)(s|[A-Z]|$)/]`,
    message: "Manager, Helper and Util say nothing: name it after what it does.",
  },
  {
    selector: `${DECLARED} > Identifier.id[name=/^(data|value|result|tmp)\\d+$/]`,
    message: "A number is not a name: say what sets the two apart.",
  },
  {
    selector: ":matches(FunctionDeclaration > Identifier.id, MethodDefinition > Identifier.key)[name=/^get_/]",
    message: "No get_: name what is answered.",
  },
];

/** There is no catch in AssemblyScript: each of these ends the VM, and with it the filter on that worker. */
const TRAPS = [
  { selector: "ThrowStatement", message: "A throw ends the VM: answer with an error value." },
  {
    selector: "CallExpression[callee.name='assert']",
    message: "A failed assert ends the VM: answer with an error value.",
  },
];

const POLLED = {
  selector:
    "CallExpression[callee.name='eventually'] CallExpression[callee.object.name='assert'][callee.property.name='ok'][arguments.length=1]",
  message: "It may fail often: say why in a message, else Node parses the whole file each time, and everything waits.",
};

/** What the page may use of the browser: nothing that keeps anything beyond the tab. */
const BROWSER = [
  ...[
    "document",
    "location",
    "addEventListener",
    "removeEventListener",
    "scrollTo",
    "ResizeObserver",
    "Event",
    "FormData",
  ],
  ...["fetch", "AbortSignal", "URLSearchParams", "setTimeout", "clearTimeout", "performance"],
];
/** The one file of the page that makes a file, which the user saves, and reads one that the user has chosen. */
const FILES = ["Blob", "URL", "TextDecoder", "TextEncoder"];

const MARKUP = [
  {
    selector:
      "MemberExpression > Identifier[name=/^(innerHTML|outerHTML|insertAdjacentHTML|write|writeln|srcdoc)$/].property",
    message: "Text from outside must stay text: make elements with h() of page/dom.js.",
  },
  { selector: "MemberExpression > Identifier[name='cookie'].property", message: "The page keeps nothing." },
];

export default tseslint.config(
  { ignores: ["build/", "node_modules/", ".envoy/", ".etcd/", ".tools/", "**/*.generated.ts"] },
  {
    files: [
      "assembly/**/*.ts",
      "tests/unit/**/*.ts",
      "bench/filters/**/*.ts",
      "bench/cache/{index,bench_root,samples,slices,whole_cache}.ts",
    ],
    languageOptions: {
      parser: tseslint.parser,
      // AssemblyScript decorates functions and globals, which is not TypeScript.
      parserOptions: { allowInvalidAST: true },
    },
    plugins: { layers: { rules: { direction } } },
    rules: {
      "no-empty": "error",
      "no-fallthrough": "error",
      "no-restricted-syntax": ["error", ...NAMES],
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  {
    files: ["assembly/**/*.ts"],
    rules: {
      "layers/direction": "error",
      "no-restricted-syntax": ["error", ...NAMES, ...TRAPS],
    },
  },
  {
    files: [
      "tools/**/*.ts",
      "tests/e2e/**/*.ts",
      "tests/support/**/*.ts",
      "tests/fake_host/**/*.ts",
      "tests/contract/**/*.ts",
      "tests/wasm/**/*.ts",
      "tests/mistakes/**/*.ts",
      "tests/compat/**/*.ts",
      "tests/servers/**/*.ts",
      "tests/migration/**/*.ts",
      "tests/soak/**/*.ts",
      "tests/fixtures/**/*.ts",
      "tests/differential/**/*.ts",
      "tests/fuzz/**/*.ts",
      "bench/*.ts",
      "bench/cache/{main,run,in_envoy,lean_host,beside_flush}.ts",
      "bench/{contention,guard}/*.ts",
      "bench/system/*.ts",
    ],
    // In AssemblyScript.
    ignores: ["tests/fuzz/handshake_fuzz.ts"],
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/await-thenable": "error",
      // node:test reports through the promises of test() and describe(), which nobody needs to await.
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafeCalls: [
            { from: "package", package: "node:test", name: ["test", "it", "describe", "suite"] },
          ],
        },
      ],
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", destructuredArrayIgnorePattern: "^_" },
      ],
      "no-restricted-syntax": ["error", ...NAMES, POLLED],
    },
  },
  {
    files: ["page/**/*.js"],
    languageOptions: { globals: Object.fromEntries(BROWSER.map((name) => [name, "readonly"])) },
    rules: {
      "no-undef": "error",
      "no-unused-vars": "error",
      "no-var": "error",
      "prefer-const": "error",
      eqeqeq: "error",
      "no-restricted-syntax": ["error", ...NAMES, ...MARKUP],
    },
  },
  {
    files: ["page/transfer.js"],
    languageOptions: { globals: Object.fromEntries(FILES.map((name) => [name, "readonly"])) },
  },
  {
    files: ["tools/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ regex: "/(bench|tests)/", message: "bench/ and tests/ import tools/, never the reverse." }] },
      ],
    },
  },
);
