import { expect, test } from "vitest";
import { runCommand } from "../../../../test/support/run.ts";
import { metricStore } from "../../src/admin/metrics/metric-store.ts";
import * as metrics from "../../src/admin/metrics/metrics.ts";
import { prometheusText } from "../../src/admin/metrics/prometheus-text.ts";

test("escapes what stands in a label, such as the id of a backend", async () => {
  const store = metricStore();
  store.value(metrics.logins, 'a "b" \\ c\nd', "rejected").value = 3;
  const text = await prometheusText("1.2.3", {}).render(store.snapshot());
  expect(text).toContain('registry_gate_logins_total{backend="a \\"b\\" \\\\ c\\nd",outcome="rejected"} 3\n');
  expect((await runCommand("promtool", ["check", "metrics"], { input: text })).stderr).toBe("");
});

test("renders each of several snapshots as it is, though they are asked for at once", async () => {
  const { render } = prometheusText("1.2.3", {});
  const snapshots = [1, 2, 3].map((value) => {
    const store = metricStore();
    store.value(metrics.inFlight).value = value;
    return store.snapshot();
  });
  const texts = await Promise.all(snapshots.map(render));
  const values = texts.map((text) => /^registry_gate_requests_in_flight (\d)$/m.exec(text)?.[1]);
  expect(values).toEqual(["1", "2", "3"]);
});

test("has target_info where the environment has attributes, and none otherwise", async () => {
  const snapshot = metricStore().snapshot();
  expect(await prometheusText("1.2.3", {}).render(snapshot)).not.toContain("target_info");
  expect(await prometheusText("1.2.3", { OTEL_SERVICE_NAME: "x" }).render(snapshot)).toContain("target_info");
});
