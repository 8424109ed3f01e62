import { inOciFormat, ownError } from "../difference.ts";
import type { Conversation, Step } from "../exchange.ts";
import { known } from "./given.ts";

const turnedAway = ownError(inOciFormat, { status: 404, code: "UNSUPPORTED", message: "not found" });

function ping(agent: string, status: number, headers: Step["headers"] = known): Step {
  const step = { method: "GET", target: "/v2/", headers: { ...headers, "user-agent": agent }, status };
  return status === 404 ? { ...step, differs: turnedAway } : step;
}

export const agents: readonly Conversation[] = [
  {
    name: "docker before 1.6",
    steps: [
      "docker/1.3.0 go/go1.3.3",
      "docker/1.4.1 go/go1.3.3",
      "docker/1.5.0 go/go1.4.1 git-commit/a8a31ef kernel/3.13 os/linux arch/amd64",
      "docker/1.5",
      "docker/1.30",
      "Go 1.1 package http",
    ].map((agent) => ping(agent, 404)),
  },
  {
    name: "docker before 1.6, without credentials",
    steps: [ping("docker/1.4.1 go/go1.3.3", 404, {})],
  },
  {
    name: "docker since 1.6, and other agents",
    steps: [
      "docker/1.5.0-dev go/go1.4.1",
      "docker/1.6.0 go/go1.4.2",
      "docker/1.13.1",
      "docker/20.10.24",
      "Docker/1.3.0",
      "Go-http-client/1.1",
      "containerd/1.6.20",
      "my docker/1.3",
    ].map((agent) => ping(agent, 200)),
  },
];
