/**
 * The gauge that shows in Envoy's metrics which module runs: 1 while a filter in force runs on it, 0 after that, as the host
 * keeps a metric until the process ends. Every virtual machine writes its own module's; a module that is only tried has no
 * gauge. Costs a call of the host at each change, and nothing between them.
 */
import { HostMetrics } from "../../host/adapters/host_metrics";
import { moduleInfoName } from "../../session/counting/statistics";
import { Registrations } from "../../session/settings/registrations";

export class ModuleInfo {
  /** Null until the module is in force. */
  private gauge: HostMetrics | null = null;
  private isShown: bool = false;

  constructor(private readonly registrations: Registrations) {}

  /** Shows what the last tick of the registrations has found. */
  tick(): void {
    this.show(this.registrations.moduleInForce);
  }

  /** To be called after the filter has left its registrations: it may have been the last one of its module. */
  leave(): void {
    const registrations = this.registrations;
    if (this.isShown && registrations.read())
      this.show(registrations.runsInForce(registrations.version, registrations.build));
  }

  private show(isInForce: bool): void {
    if (isInForce == this.isShown) return;
    let gauge = this.gauge;
    if (!gauge) {
      const registrations = this.registrations;
      gauge = new HostMetrics([moduleInfoName(registrations.cacheName, registrations.version, registrations.build)], 1);
      this.gauge = gauge;
    }
    gauge.record(0, isInForce ? 1 : 0);
    this.isShown = isInForce;
  }
}
