/** One request to the admin API, and what is known of it once it was routed. One object serves one request. */
import { Query } from "./query";

export class HttpRequest {
  method: string = "";
  /** As in the request line, with the query. */
  path: string = "";
  /** The Authorization header; empty where there is none. */
  authorization: string = "";
  /** The whole body, valid during `AdminApi.handle`. */
  bodyPointer: usize = 0;
  bodyLength: i32 = 0;

  /** What stands in the path in the place of the route's parameter, as it was sent. */
  parameter: string = "";
  query: Query = new Query();

  /** Of a change: whether it gives any field, in its body or in its query. */
  get givesFields(): bool {
    return this.bodyLength > 0 || this.query.names.length > 0;
  }
}
