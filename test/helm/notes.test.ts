import { describe, expect, it } from "vitest";
import { chart } from "./chart.ts";
import { helm } from "./render.ts";

/** What Helm prints after an installation. */
async function notesOf(values: object): Promise<string> {
  const install = ["install", "gate", chart, "--namespace", "registry", "--dry-run=client"];
  const { code, stdout, stderr } = await helm(install, values);
  if (code !== 0) throw new Error(stderr);
  return stdout.slice(stdout.indexOf("NOTES:"));
}

describe("the notes after an installation", () => {
  it("warn of what the defaults leave open", async () => {
    const notes = await notesOf({});
    expect(notes).toContain("NOBODY CAN SIGN IN YET");
    expect(notes).toContain("PASSWORDS TRAVEL IN THE CLEAR");
    expect(notes).toContain("docker login 127.0.0.1:5043");
  });

  it("warn of nothing where all is set", async () => {
    const notes = await notesOf({
      htpasswd: { existingSecret: "users" },
      ingress: { enabled: true, host: "registry.example.com", tlsSecret: "certificate" },
      config: { listen: { trustedProxies: ["10.0.0.0/8"] } },
    });
    expect(notes).toContain("docker login registry.example.com");
    expect(notes).not.toMatch(/[A-Z]{3,} [A-Z]{3,}/);
  });

  it("warn of clients that count as one, and of images and logins that are lost", async () => {
    const notes = await notesOf({
      replicaCount: 1,
      httpRoute: { enabled: true, parentRefs: [{ name: "public" }], hostnames: ["images.example.com"] },
      registry: { persistence: { enabled: false } },
      config: { auth: { challenge: "bearer" } },
      networkPolicy: { enabled: false },
    });
    expect(notes).toContain("docker login images.example.com");
    expect(notes).toContain("ALL CLIENTS COUNT AS ONE");
    expect(notes).toContain("IMAGES ARE LOST");
    expect(notes).toContain("LOGINS END WITH THE POD");
    expect(notes).toContain("There is no NetworkPolicy");
  });
});
