import { describe, expect, it } from "vitest";
import { counter, durations, gauge } from "../../src/admin/metrics/metric.ts";
import { metricStore } from "../../src/admin/metrics/metric-store.ts";
import { combineSnapshots, lastingPart } from "../../src/admin/metrics/snapshot.ts";

const hits = counter("hits_total", "Hits", ["color"]);
const size = gauge("size", "Size", "sum");
const oldest = gauge("oldest", "Oldest", "min");
const newest = gauge("newest", "Newest", "max");
const time = durations("time_seconds", "Time", ["color"], [0.1, 1]);
const all = [hits, size, oldest, newest, time];

/** A process that has counted and measured. */
function measured(amount: number, color: string) {
  const store = metricStore();
  store.value(hits, color).value += amount;
  for (const metric of [size, oldest, newest]) store.value(metric).value = amount;
  store.distribution(time, color).observe(amount);
  // As another process would get it.
  return JSON.parse(JSON.stringify(store.snapshot()));
}

describe("metricStore", () => {
  it("counts a value up to its bound, and one above the last bound too", () => {
    const store = metricStore();
    for (const value of [0, 0.1, 0.11, 1, 2]) store.distribution(time, "red").observe(value);
    const [series] = store.snapshot().metrics[time.name] ?? [];
    expect(series).toMatchObject({ labels: ["red"], count: 5, buckets: [2, 2, 1] });
    expect(series).toHaveProperty("sum", expect.closeTo(3.21));
  });

  it("counts further combinations of labels together, so that no label can fill the memory", () => {
    const store = metricStore();
    for (let count = 0; count < 5000; count++) store.value(hits, `color ${count}`).value++;
    const series = store.snapshot().metrics[hits.name] ?? [];
    expect(series).toHaveLength(2001);
    expect(series.at(-1)).toEqual({ labels: ["other"], value: 3000 });
  });

  it("measures what changes by itself for each snapshot", () => {
    const store = metricStore();
    let current = 1;
    store.onSnapshot(() => {
      store.value(size).value = current;
    });
    expect(store.snapshot().metrics[size.name]).toEqual([{ labels: [], value: 1 }]);
    current = 2;
    expect(store.snapshot().metrics[size.name]).toEqual([{ labels: [], value: 2 }]);
  });
});

describe("combineSnapshots", () => {
  it("adds counters and histograms, and takes gauges as each of them says", () => {
    const combined = combineSnapshots([measured(1, "red"), measured(4, "red"), measured(2, "blue")], all);
    expect(combined.metrics).toEqual({
      hits_total: [
        { labels: ["red"], value: 5 },
        { labels: ["blue"], value: 2 },
      ],
      size: [{ labels: [], value: 7 }],
      oldest: [{ labels: [], value: 1 }],
      newest: [{ labels: [], value: 4 }],
      time_seconds: [
        { labels: ["red"], count: 2, sum: 5, buckets: [0, 1, 1] },
        { labels: ["blue"], count: 1, sum: 2, buckets: [0, 0, 1] },
      ],
    });
  });

  it("gives one snapshot back as it is", () => {
    const { metrics } = measured(3, "red");
    expect(combineSnapshots([{ started: 0, metrics }], all)).toEqual({ started: 0, metrics });
  });

  it("leaves out metrics that it does not know, and has none of nothing", () => {
    expect(combineSnapshots([measured(3, "red")], [size]).metrics).toEqual({ size: [{ labels: [], value: 3 }] });
    expect(combineSnapshots([], all).metrics).toEqual({});
  });
});

describe("lastingPart", () => {
  it("keeps what a process that has ended has counted, and none of its gauges", () => {
    const gone = lastingPart(measured(1, "red"), all);
    expect(Object.keys(gone.metrics)).toEqual([hits.name, time.name]);
    const { metrics } = combineSnapshots([gone, measured(4, "red")], all);
    expect(metrics[hits.name]).toEqual([{ labels: ["red"], value: 5 }]);
    expect(metrics[size.name]).toEqual([{ labels: [], value: 4 }]);
  });
});
