import type { Person } from "../support/open-id-provider.ts";

const staff = (name: string, email: string, groups: readonly string[] = []): Person => ({
  password: `${email}-password`,
  email,
  name,
  groups: ["staff", ...groups],
});

/** Who can sign in. Mallory's group has the name of another inside its own. */
export const people = {
  alice: staff("Alice Älteste", "alice@example.com", ["pushers"]),
  carol: staff("Carol", "carol@example.com"),
  mallory: staff("Mallory", "mallory@example.com", ["visitors,pushers"]),
  zoë: staff("Zoë", "zoe@example.com", ["pushers"]),
};
