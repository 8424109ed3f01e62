import type { ClientRequest } from "node:http";

/**
 * Has a request fail whose server switches protocols, which nobody asked for. Without this, Node destroys the connection
 * without any event, and whoever waits for the response waits for ever, past every time limit.
 *
 * @param fail Called once, where that happens.
 */
export function refuseUpgrade(request: ClientRequest, fail: (error: Error) => void): void {
  request.once("upgrade", (_, socket) => {
    socket.on("error", () => {});
    socket.destroy();
    fail(new Error("the server switched protocols"));
  });
}
