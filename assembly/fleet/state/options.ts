/** How a proxy tells the others of its fleet, and how it is called among them. */
export class FleetOptions {
  /** The name of this proxy, unique in the fleet; empty if not given. */
  name: string = "";
  /** How often decisions are told. */
  intervalMilliseconds: u32 = 50;
  /** Whether learned sessions are told and taken over, and how often they are told. */
  sessions: bool = true;
  sessionsIntervalMilliseconds: u32 = 500;
  /** Whether mode, timeout and enforcement go to all proxies. */
  settings: bool = true;
}
