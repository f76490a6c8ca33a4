/** A caller of the admin API, as the filter is one: begins, hands over the body, steps the job to its end. */
import { AdminApi, MAX_BODY_LENGTH } from "../../../assembly/admin/api";
import { Call } from "../../../assembly/admin/http/call";
import { HttpResponse } from "../../../assembly/admin/http/response";
import { AdminConfig, Config } from "../../../assembly/config/config";
import { JsonReader } from "../../../assembly/json/reader";
import { JsonKind, JsonValue } from "../../../assembly/json/value";
import { Deadline } from "../../../assembly/work/job";
import { Bench } from "./sessions";

export const TOKEN: string = "all-may-change-01";
const NOBODY: string = ',"enforced_by":{"observer":0,"guard":0},"warning":"';
export const READ_TOKEN: string = "may-only-read-0123";

export class Answer {
  readonly status: i32;
  readonly text: string;
  /** The body; null if it is not JSON. */
  readonly json: JsonValue;
  /** Slices of work that it waited for. */
  slices: i32 = 0;

  constructor(private readonly response: HttpResponse) {
    const reader = new JsonReader(MAX_ANSWER_LENGTH, MAX_ANSWER_LENGTH);
    const json = reader.read(response.bodyPointer(), response.bodyLength());
    this.status = response.status;
    this.text = String.UTF8.decodeUnsafe(response.bodyPointer(), response.bodyLength());
    this.json = json === null ? new JsonValue(JsonKind.Null) : json;
  }

  /** The body without `enforced_by` and the warning: in these tests nobody enforces a change. */
  get bare(): string {
    const at = this.text.indexOf(NOBODY);
    return at < 0 ? this.text : this.text.substring(0, at) + "}";
  }

  /** A header; empty if it is missing. */
  header(name: string): string {
    const headers = this.response.headers;
    for (let i = 0; i < headers.length; i += 2) {
      if (headers[i] == name) return headers[i + 1];
    }
    return "";
  }

  /** The bytes of the body, from and with the first. */
  bytes(count: i32): StaticArray<u8> {
    const bytes = new StaticArray<u8>(count);
    const length = min(count, this.response.bodyLength());
    memory.copy(changetype<usize>(bytes), this.response.bodyPointer(), length);
    return bytes;
  }

  get length(): i32 {
    return this.response.bodyLength();
  }

  member(name: string): JsonValue {
    const member = this.json.member(name);
    return member === null ? new JsonValue(JsonKind.Null) : member;
  }

  get detail(): string {
    return this.member("detail").text;
  }
}

export class Client {
  readonly api: AdminApi;
  authorization: string = "Bearer " + TOKEN;
  accept: string = "";
  acceptEncoding: string = "";
  ifNoneMatch: string = "";

  constructor(
    readonly bench: Bench = new Bench(),
    config: Config = configWithTokens(),
  ) {
    this.api = new AdminApi(bench.cache, config);
  }

  /** A request without a body. */
  call(method: string, path: string): Answer {
    return this.run(method, path, "");
  }

  /** A request with a body. */
  send(method: string, path: string, body: string): Answer {
    return this.run(method, path, body);
  }

  private run(method: string, path: string, body: string): Answer {
    const call = new Call();
    const request = call.request;
    const response = call.response;
    const bytes = String.UTF8.encode(body);
    request.method = method;
    request.path = path;
    request.authorization = this.authorization;
    request.accept = this.accept;
    request.acceptEncoding = this.acceptEncoding;
    request.ifNoneMatch = this.ifNoneMatch;
    let slices = 0;
    if (!this.api.begin(call)) {
      request.bodyPointer = changetype<usize>(bytes);
      request.bodyLength = bytes.byteLength;
      if (bytes.byteLength > MAX_BODY_LENGTH) this.api.tooLarge(response);
      else this.api.handle(call);
      const job = response.job;
      if (job !== null) {
        const deadline = new Deadline(this.bench.clock);
        deadline.start(1_000_000);
        do slices++;
        while (!job.step(deadline) && slices < 1000);
        this.api.finish(response);
      }
    }
    const answer = new Answer(response);
    answer.slices = slices;
    return answer;
  }
}

export function configWithTokens(): Config {
  const config = new Config();
  const admin = new AdminConfig();
  admin.tokens = ["another-token-0123", TOKEN];
  admin.readTokens = [READ_TOKEN];
  config.admin = admin;
  return config;
}

/** An ID of 32 bytes made of a number. */
export function hexId(number: i32): string {
  return number.toString().padStart(64, "0");
}

/** In bytes: the description of the API is the longest answer. */
const MAX_ANSWER_LENGTH: i32 = 1_048_576;
