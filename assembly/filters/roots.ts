/** Makes the filter of each root_id. */
import { Root, RootFactory } from "../host/roots";
import { AdminFilter } from "./admin/admin_filter";
import { FleetFilter } from "./fleet/fleet_filter";
import { Guard } from "./guard/guard";
import { Observer } from "./observer/observer";

export class Roots extends RootFactory {
  make(rootId: string, rootContext: u32): Root | null {
    if (rootId == "observer") return new Observer(rootContext);
    if (rootId == "guard") return new Guard();
    if (rootId == "admin") return new AdminFilter(rootContext);
    if (rootId == "fleet") return new FleetFilter(rootContext);
    return null;
  }
}
