/**
 * Configurations of the three filters, one after the other on one proxy, as updates bring them. Promises: nothing traps. The
 * log has the reason of each refusal. JSON.parse reads each accepted configuration. The filters still answer.
 */
import { FakeHost, type Worker } from "../../fake_host/fake_host.ts";
import { hold, type Input, type Session, type Target } from "../input.ts";
import { isJson } from "./admin.ts";
import { assertAnswer } from "./bystanders.ts";

const ROOTS = ["observer", "admin", "guard"] as const;

export const configuration: Target = {
  name: "configuration",
  kinds: ROOTS.length,
  variants: 1,
  maxStepLength: 4000,
  dictionary: [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1e3",
    "1E-400",
    "0.5",
    "4294967296",
    "\\u0041",
    "\\ud83d",
    "\\",
    "\x00",
    "\xc3\xa4",
    "\xff",
    "\xef\xbb\xbf",
    " ",
    '"cache"',
    '"cache_size"',
    '"timeout"',
    '"mode"',
    '"SERVER"',
    '"OFF"',
    '"NO_INTERNAL"',
    '"removed_seconds"',
    '"ticket_lifetime"',
    '"enforcement"',
    '"strict"',
    '"max_memory_mib"',
    '"steering"',
    '"hash"',
    '"steering_by_source"',
    '"access_log"',
    '"admin"',
    '"tokens"',
    '"tokens_env"',
    '"read_tokens"',
    '"allow_unauthenticated"',
    '"events"',
    '"cluster"',
    '"path"',
    "[[[[[[[[[[[[",
  ].map((text) => Buffer.from(text, "latin1")),

  seeds(): Input[] {
    return CONFIGURATIONS.flatMap((text) => ROOTS.map((_, kind) => [{ kind, bytes: Buffer.from(text) }]));
  },

  open: (wasm): Session => new ConfigurationSession(new FakeHost({ TOKEN: "from-environment" }, false, wasm)),
};

class ConfigurationSession implements Session {
  readonly memories: WebAssembly.Memory[] = [];
  private readonly worker: Worker;

  constructor(private readonly host: FakeHost) {
    this.worker = host.worker();
    for (const root of ROOTS) {
      const accepted = this.worker.configure(root, '{"cache":"first","admin":{"tokens":["tttttttttttttttt"]}}');
      const plain = accepted || this.worker.configure(root, '{"cache":"first"}');
      hold(plain, () => `${root} refuses a plain configuration: ${host.log.at(-1)?.text ?? ""}`);
      this.memories.push(this.worker.memory(root));
    }
  }

  run(input: Input): void {
    for (const { kind, bytes } of input) {
      const root = ROOTS[kind % ROOTS.length] ?? "observer";
      this.host.log.length = 0;
      if (this.worker.configure(root, bytes)) {
        hold(
          isBlank(bytes) || isJson(bytes),
          () => `${root} accepted a text that is not JSON: ${bytes.toString("latin1")}`,
        );
      } else {
        hold(this.host.log.length > 0, () => `${root} refused without a log line: ${bytes.toString("latin1")}`);
      }
    }
    this.host.log.length = 0;
  }

  check(): void {
    assertAnswer(this.worker.request("GET", "/healthz", {}), false);
    this.worker.connection().fromClient(Buffer.from("1603")).close();
    this.worker.https({ sessionId: "aa01" }).request();
    const { memoryBytes } = this.worker;
    hold(memoryBytes < MAX_MEMORY_BYTES, () => `linear memory has grown to ${memoryBytes} bytes`);
  }
}

/** The filter takes white space alone for an empty configuration. */
function isBlank(bytes: Buffer): boolean {
  return /^[ \t\r\n]*$/.test(bytes.toString("latin1"));
}

const MAX_MEMORY_BYTES = 48 * 1024 * 1024;
const CONFIGURATIONS = [
  "",
  "{}",
  '{"cache":"c","cache_size":5,"timeout":60,"mode":["SERVER","NO_AUTO_CLEAR"],' +
    '"removed_seconds":604800,"enforcement":"strict"}',
  '{"cache":"d","max_memory_mib":1,"steering":"hash","steering_by_source":false,"access_log":true}',
  '{"cache":"e","admin":{"tokens":["tttttttttttttttt"],"read_tokens":["rrrrrrrrrrrrrrrr"],"allow_unauthenticated":false}}',
  '{"cache":"e","admin":{"tokens_env":["TOKEN"],"read_tokens_env":[]}}',
  '{"cache":"f","admin":{"allow_unauthenticated":true},"events":{"cluster":"collector","path":"/events"}}',
  '{"cache":"\\u00e4\\ud83d\\ude00","mode":[]}',
];
