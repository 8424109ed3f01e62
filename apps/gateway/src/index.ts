/**
 * The registry-gate server, for programs that start it themselves.
 *
 * @module
 */

export { type AuditFailure, auditFailure } from "./observe/audit-failure.ts";
export {
  type ConnectionLimit,
  connectionLimit,
  type HandshakeFailed,
  handshakeFailed,
  type RequestUnreadable,
  requestUnreadable,
} from "./observe/connections.ts";
export { type EventDelivery, eventDelivery } from "./observe/events.ts";
export { type MaintenanceState, maintenanceState, type ReadOnlyCause } from "./observe/maintenance.ts";
export { certificateReload, configurationReload, type Reload } from "./observe/reloads.ts";
export { type Gateway, startGateway } from "./process/gateway.ts";
