/**
 * The registry-gate server, for programs that start it themselves.
 *
 * @module
 */
export { type Gateway, startGateway } from "./server/gateway.ts";
