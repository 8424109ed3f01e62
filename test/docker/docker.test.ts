import { expect, test } from "vitest";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { startDockerd } from "../support/dockerd.ts";

test("two daemons at a time exchange an image through a registry", async () => {
  const [one, two, registry] = await Promise.all([startDockerd(), startDockerd(), startDockerRegistry()]);
  try {
    const reference = `${new URL(registry.url).host}/team/app:1`;
    await one.load(reference, [{ "a.txt": "a" }, { "b.txt": "b" }]);
    expect(await one.docker(["push", reference])).toMatchObject({ code: 0 });
    expect(await two.docker(["pull", reference])).toMatchObject({ code: 0 });
    const identifiers = await Promise.all(
      [one, two].map(({ docker }) => docker(["image", "inspect", "-f", "{{.Id}}", reference])),
    );
    expect(identifiers[0]?.stdout).toMatch(/^sha256:/);
    expect(identifiers[1]).toEqual(identifiers[0]);
  } finally {
    await Promise.all([one.close(), two.close(), registry.close()]);
  }
});
