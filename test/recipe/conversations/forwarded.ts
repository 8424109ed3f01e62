import type { Difference } from "../difference.ts";
import type { Conversation, Step } from "../exchange.ts";
import { known } from "./given.ts";

const notSteered: Difference = {
  reason:
    "what only a trusted proxy may say is not taken from a client, who could have Location point anywhere with it",
  gate: (recipe) => ({
    ...recipe,
    headers: {
      ...recipe.headers,
      location: "https://front/v2/push/forwarded/blobs/uploads/<uuid>?_state=<state>",
    },
  }),
};

function start(headers: Step["headers"], differs?: Difference): Step {
  return {
    method: "POST",
    target: "/v2/push/forwarded/blobs/uploads/",
    headers: { ...known, ...headers },
    status: 202,
    ...(differs !== undefined && { differs }),
  };
}

export const forwarded: readonly Conversation[] = [
  {
    name: "what a client says of proxies in front",
    steps: [
      start({ "x-forwarded-for": "198.51.100.7", "x-forwarded-proto": "http", "x-real-ip": "198.51.100.7" }),
      start({ "x-forwarded-host": "elsewhere.example" }, notSteered),
      start({ forwarded: "host=elsewhere.example;proto=http" }, notSteered),
    ],
  },
  {
    name: "what no registry should hear",
    steps: [
      start({ cookie: "session=1", "x-http-method-override": "DELETE", connection: "x-forwarded-proto" }),
      start({ upgrade: "h2c", connection: "upgrade, http2-settings", "http2-settings": "AAMAAABkAARAAAAAAAIAAAAA" }),
    ],
  },
];
