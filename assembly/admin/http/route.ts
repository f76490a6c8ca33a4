/**
 * One path of the API and its methods. A new path is a new class and one line in `routes/all.ts`.
 *
 * When `check` or a method is called, the caller is authenticated, the method is one of `allow`, and each name of the query
 * is in `namesFor` and stands there once.
 */
import { HttpRequest } from "./request";
import { HttpResponse } from "./response";

export abstract class Route {
  /** Whether callers need a token, and the settings of the cache have to be readable. */
  needsToken: bool = true;
  /** The names that the query of GET and HEAD may have. */
  queryNames: StaticArray<string> = NO_NAMES;
  /** The fields that PUT and POST take, in the body or in the query. */
  fields: StaticArray<string> = NO_NAMES;
  private readonly beforeParameter: string;

  constructor(
    /** The path without query; "{" begins a parameter, which is the last segment. */
    readonly template: string,
    /** The methods, as in the Allow header. */
    readonly allow: string,
  ) {
    const brace = template.indexOf("{");
    this.beforeParameter = brace < 0 ? "" : template.substring(0, brace);
  }

  /** Whether a path without query leads here. */
  matches(path: string): bool {
    if (this.beforeParameter.length == 0) return path == this.template;
    return this.parameterOf(path).length > 0;
  }

  /** Whether the route is there for this caller; else its path is not a path of the API. */
  serves(request: HttpRequest): bool {
    return true;
  }

  /** The text in the place of the parameter; empty if the path does not match or the route has no parameter. */
  parameterOf(path: string): string {
    const start = this.beforeParameter.length;
    if (start == 0 || !path.startsWith(this.beforeParameter) || path.includes("/", start)) return "";
    return path.substring(start);
  }

  allows(method: string): bool {
    return this.allow.split(", ").includes(method);
  }

  /** The names that the query of a request may have. */
  namesFor(method: string): StaticArray<string> {
    if (method == "PUT" || method == "POST") return this.fields;
    return method == "DELETE" ? NO_NAMES : this.queryNames;
  }

  /** Checks path and query before the body is awaited; writes a problem if they are wrong. */
  check(request: HttpRequest, response: HttpResponse): void {}

  /** GET and HEAD. */
  get(request: HttpRequest, response: HttpResponse): void {}

  put(request: HttpRequest, response: HttpResponse): void {}

  post(request: HttpRequest, response: HttpResponse): void {}

  /** DELETE. */
  remove(request: HttpRequest, response: HttpResponse): void {}
}

const NO_NAMES: StaticArray<string> = [];
