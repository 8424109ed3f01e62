import type { Worker } from "node:cluster";
import type { MessagePort } from "./channel.ts";

/** How the primary reaches a worker. */
export function portToWorker(worker: Worker): MessagePort {
  return {
    send(message, failed) {
      worker.process.send?.(message, (error) => error !== null && failed(error));
    },
    onMessage: (listener) => void worker.on("message", listener),
    onClose: (listener) => void worker.once("disconnect", listener),
  };
}

/** How a worker reaches the primary. */
export function portToPrimary(): MessagePort {
  return {
    send(message, failed) {
      if (process.send === undefined || !process.connected) failed(new Error("there is no primary"));
      else process.send(message, undefined, {}, (error) => error !== null && failed(error));
    },
    onMessage: (listener) => void process.on("message", listener),
    onClose: (listener) => void process.once("disconnect", listener),
  };
}
