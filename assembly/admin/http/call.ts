/** One call of the admin API: its request, its response, and the route that `AdminApi.begin` finds for it. */
import { AdminRequest } from "./request";
import { AdminResponse } from "./response";
import { Route } from "./route";

export class Call {
  readonly request: AdminRequest = new AdminRequest();
  readonly response: AdminResponse = new AdminResponse();
  /** Null until the path is known to exist and the caller may use it. */
  route: Route | null = null;
}
