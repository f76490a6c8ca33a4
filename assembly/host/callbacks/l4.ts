/**
 * The ABI's callbacks for network filters. Every chunk of every connection passes here, for its whole life. Once a filter
 * has finished with a connection, a callback costs one look into a table.
 */
import { Action, BufferType } from "../abi";
import { enterConnection } from "../connection_properties";
import { Context, findContext } from "../contexts";
import { tellMissingCallback } from "../notices/missing_callback";
import { FINISHED } from "../roots";

export function proxy_on_new_connection(context: u32): i32 {
  const connection = findContext(context);
  if (!connection) {
    tellMissingCallback("proxy_on_context_create", "nothing is learned or refused");
    return Action.CONTINUE;
  }
  connection.isOpened = 1;
  const root = connection.root;
  root.action = Action.CONTINUE;
  connection.state = root.connectionOpened(context);
  return root.action;
}

export function proxy_on_downstream_data(context: u32, length: i32, endOfStream: i32): i32 {
  return pass(context, findContext(context), BufferType.DOWNSTREAM_DATA, length, endOfStream != 0);
}

export function proxy_on_upstream_data(context: u32, length: i32, endOfStream: i32): i32 {
  return pass(context, findContext(context), BufferType.UPSTREAM_DATA, length, endOfStream != 0);
}

export function proxy_on_downstream_connection_close(context: u32, closeType: i32): void {
  close(findContext(context));
}

export function proxy_on_upstream_connection_close(context: u32, closeType: i32): void {}

function pass(context: u32, connection: Context | null, buffer: i32, length: i32, endOfStream: bool): i32 {
  if (!connection) return Action.CONTINUE;
  if (connection.state == FINISHED) {
    if (connection.isOpened == 0) tellMissingCallback("proxy_on_new_connection", "nothing is learned or refused");
    return Action.CONTINUE;
  }
  const root = connection.root;
  root.action = Action.CONTINUE;
  enterConnection(context);
  connection.state = root.dataSeen(context, connection.state, buffer, length, endOfStream);
  enterConnection(0);
  return root.action;
}

function close(connection: Context | null): void {
  if (!connection || connection.state == FINISHED) return;
  const state = connection.state;
  connection.state = FINISHED;
  connection.root.connectionClosed(state);
}
