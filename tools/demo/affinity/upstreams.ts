/**
 * The upstreams of `npm run demo:affinity`: TLS servers that share nothing. Session IDs, TLS 1.2 tickets and stateless TLS 1.3
 * tickets come from the demo's own servers; stateful TLS 1.3 tickets from Python's ssl, because Node keeps sessions of
 * its own and cannot find those of TLS 1.3 among them. A Python server ends with its standard input, that is, with us.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import type { Kind } from "./client.ts";
import { startDemoUpstream } from "../upstream.ts";
import { SetupError } from "../../setup_error.ts";

export interface Upstream {
  readonly name: string;
  /** `127.0.0.1:port` */
  readonly address: string;
  /** From now on its port refuses connections. */
  close(): Promise<void>;
}

export async function startUpstream(name: string, kind: Kind): Promise<Upstream> {
  return kind === "stateful" ? await startStateful(name) : await startDemoUpstream({ name, tickets: kind !== "id" });
}

/**
 * A server without tickets, which resumes TLS 1.2 by the session ID whatever ticket comes with it; Node's looks for no ID where
 * there is a ticket.
 */
export function startTicketless(name: string): Promise<Upstream> {
  return startPython(name, "TLSv1_2");
}

function startStateful(name: string): Promise<Upstream> {
  return startPython(name, "TLSv1_3");
}

async function startPython(name: string, leastVersion: string): Promise<Upstream> {
  const folder = mkdtempSync(join(tmpdir(), "affinity-"));
  const identityFile = join(folder, "identity.pem");
  const { private: key, cert } = await generate([{ name: "commonName", value: "localhost" }], {
    keyType: "ec",
    curve: "P-256",
  });
  writeFileSync(identityFile, `${key}\n${cert}\n`);
  const server = spawn("python3", ["-c", SERVER, identityFile, name, leastVersion], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    const [line] = (await Promise.race([
      once(server.stdout, "data"),
      once(server, "exit").then(() => Promise.reject(new Error("it ended at once"))),
    ])) as [Buffer];
    return {
      name,
      address: `127.0.0.1:${Number(line.toString())}`,
      close: async () => {
        if (server.exitCode !== null || server.signalCode !== null) return;
        const ended = once(server, "exit");
        server.kill("SIGKILL");
        await ended;
      },
    };
  } catch (error) {
    throw new SetupError(`a server with stateful tickets needs python3 with its ssl module: ${String(error)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const SERVER = `
import os, socket, ssl, sys, threading

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.minimum_version = ssl.TLSVersion[sys.argv[3]]
context.options |= ssl.OP_NO_TICKET  # those of TLS 1.3 are then 32 random bytes, and the session stays here
context.num_tickets = 1
context.load_cert_chain(sys.argv[1])
listener = socket.create_server(("127.0.0.1", 0), backlog=512)
body = "upstream " + sys.argv[2] + "\\n"
answer = "HTTP/1.1 200 OK\\r\\nContent-Length: " + str(len(body)) + "\\r\\nConnection: close\\r\\n\\r\\n" + body

def serve(client):
    try:
        client.settimeout(10)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(client, server_side=True) as connection:
            connection.recv(65536)
            connection.sendall(answer.encode())
            connection.unwrap()  # OpenSSL forgets the session of a connection that ends without close_notify
    except OSError:
        client.close()

def accept():
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client,), daemon=True).start()

threading.Thread(target=accept, daemon=True).start()
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
os._exit(0)
`;
