/**
 * A port where nobody answers: it listens, its backlog is full, and the kernel drops further connections. That is what a
 * machine without power looks like from outside. Ends with this process.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";

/** Throws if the port cannot be had, or if connections are taken all the same. */
export async function startSilentServer(port: number): Promise<{ stop: () => Promise<void> }> {
  const server = spawn("python3", ["-c", SERVER, String(port)], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(server, "exit");
  const said = once(server.stdout, "data").then(([line]) => String(line).trim());
  if ((await Promise.race([said, ended.then(() => "ended")])) !== "silent") {
    server.kill("SIGKILL");
    throw new Error(`port ${port} is not silent`);
  }
  return {
    stop: async () => {
      server.kill("SIGKILL");
      await ended;
    },
  };
}

const SERVER = `
import select, socket, sys

address = ("127.0.0.1", int(sys.argv[1]))
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(address)
listener.listen(0)
waiting = []
while len(waiting) < 16:
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(address)
    waiting.append(client)
    if not select.select([], [client], [], 0.3)[1]:
        print("silent", flush=True)
        sys.stdin.read()
        break
`;
