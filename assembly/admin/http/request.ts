/** One HTTP request; after it is routed, also the parameter of its path and its query. One object serves one request. */
import { Query } from "./query";

export class HttpRequest {
  method: string = "";
  /** The target of the request line, with the query. */
  path: string = "";
  /** The Authorization header; empty if there is none. */
  authorization: string = "";
  /** Three headers that only the page's path looks at (`isRoot`); empty if they are missing. */
  accept: string = "";
  acceptEncoding: string = "";
  ifNoneMatch: string = "";
  /** The Content-Type header; empty if there is none. */
  contentType: string = "";
  /** The whole body, valid during `AdminApi.handle`. */
  bodyPointer: usize = 0;
  bodyLength: i32 = 0;

  /** The text of the path in the place of the route's parameter, still percent-encoded. */
  parameter: string = "";
  query: Query = new Query();

  /** Whether the path is `/`, with or without a query. */
  get isRoot(): bool {
    return this.path == "/" || this.path.startsWith("/?");
  }

  /** Whether a change has any field, in its body or in its query. */
  get givesFields(): bool {
    return this.bodyLength > 0 || this.query.names.length > 0;
  }
}
