/** The ABI's callbacks for gRPC calls and streams of root contexts. Metadata are of no use to any filter. */
import { findRoot } from "../roots";

export function proxy_on_grpc_receive(rootContext: u32, token: u32, length: i32): void {
  const root = findRoot(rootContext);
  if (root) root.grpcReceived(token, length);
}

export function proxy_on_grpc_close(rootContext: u32, token: u32, status: i32): void {
  const root = findRoot(rootContext);
  if (root) root.grpcClosed(token, status);
}
