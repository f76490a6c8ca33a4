/**
 * The ABI's callbacks of a network filter. Every chunk of every connection comes by here for its whole life: once a
 * filter has finished with a connection, a callback is one look into a table. A callback never stops the host; a filter that
 * has to hold bytes back takes them out of the host's buffer.
 */
import { Action, BufferType } from "./abi";
import { Context, findContext } from "./contexts";
import { FINISHED } from "./roots";

export function proxy_on_new_connection(context: u32): i32 {
  const connection = findContext(context);
  if (connection) connection.state = connection.root.connectionOpened(context);
  return Action.CONTINUE;
}

export function proxy_on_downstream_data(context: u32, length: i32, endOfStream: i32): i32 {
  return pass(findContext(context), BufferType.DOWNSTREAM_DATA, length, endOfStream != 0);
}

export function proxy_on_upstream_data(context: u32, length: i32, endOfStream: i32): i32 {
  return pass(findContext(context), BufferType.UPSTREAM_DATA, length, endOfStream != 0);
}

export function proxy_on_downstream_connection_close(context: u32, closeType: i32): void {
  close(findContext(context));
}

export function proxy_on_upstream_connection_close(context: u32, closeType: i32): void {}

function pass(connection: Context | null, buffer: i32, length: i32, endOfStream: bool): i32 {
  if (connection && connection.state != FINISHED) {
    connection.state = connection.root.dataSeen(connection.state, buffer, length, endOfStream);
  }
  return Action.CONTINUE;
}

function close(connection: Context | null): void {
  if (!connection || connection.state == FINISHED) return;
  const state = connection.state;
  connection.state = FINISHED;
  connection.root.connectionClosed(state);
}
