export type { Count, CounterStore, Counters } from "@registry-gate/auth-kit";
