'use strict';
// The events of the page, unpacked: per event the modules hit, each with its times and charges.

function unpackFloats(text) {
  const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({length: bytes.length / 4}, (_, i) => view.getFloat32(4 * i, true));
}

const quantile = (sorted, part) =>
    sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] : 0;

class Detector {
  constructor({count, positions, strings, sensors, dots = true, spacing = 0}) {
    this.count = count;
    this.positions = unpackFloats(positions);
    this.strings = strings;
    this.sensors = sensors;
    const low = [0, 1, 2].map(axis => this.edge(axis, Math.min, Infinity));
    const high = [0, 1, 2].map(axis => this.edge(axis, Math.max, -Infinity));
    this.low = count ? low : [-1, -1, -1];
    this.high = count ? high : [1, 1, 1];
    this.centre = this.low.map((value, axis) => (value + this.high[axis]) / 2);
    this.radius = Math.max(1, Math.hypot(...this.low.map((v, axis) => this.high[axis] - v)) / 2);
    this.spacing = spacing || this.typicalSpacing();
    this.dots = dots ? this.positions : new Float32Array(0);
  }

  position(module) { return [0, 1, 2].map(axis => this.positions[3 * module + axis]); }

  edge(axis, choose, start) {
    let value = start;
    for (let i = axis; i < this.positions.length; i += 3) value = choose(value, this.positions[i]);
    return value;
  }

  // Median distance to the nearest module, from at most 60 modules.
  typicalSpacing() {
    const distances = [], step = Math.max(1, Math.floor(this.count / 60));
    for (let i = 0; i < this.count; i += step) {
      let nearest = Infinity;
      const p = this.position(i);
      for (let j = 0; j < this.count; ++j) {
        const q = 3 * j;
        const d = Math.hypot(this.positions[q] - p[0], this.positions[q + 1] - p[1],
                             this.positions[q + 2] - p[2]);
        if (j !== i && d > 1e-3) nearest = Math.min(nearest, d);
      }
      if (nearest < Infinity) distances.push(nearest);
    }
    distances.sort((a, b) => a - b);
    return quantile(distances, 0.5) || this.radius / 20;
  }
}

class EventLight {
  constructor(data) {
    Object.assign(this, {title: data.title, first: data.first, tracks: data.tracks, facts: data.facts});
    const packed = unpackFloats(data.hits), modules = new Map();
    this.count = packed.length / 3;
    this.charge = 0;
    for (let i = 0; i < packed.length; i += 3) {
      if (!modules.has(packed[i])) modules.set(packed[i], []);
      modules.get(packed[i]).push([packed[i + 1], packed[i + 2]]);
      this.charge += packed[i + 2];
    }
    this.modules = [...modules].map(([module, hits]) => {
      hits.sort((a, b) => a[0] - b[0]);
      let sum = 0;
      return {module, times: hits.map(h => h[0]), charges: hits.map(h => h[1]),
              sums: hits.map(h => (sum += h[1])), first: hits[0][0], total: sum};
    });
    const starts = this.modules.map(m => m.first).sort((a, b) => a - b);
    const times = this.modules.flatMap(m => m.times).sort((a, b) => a - b);
    this.latestColour = Math.max(quantile(starts, 0.97), 1e-9);
    this.last = times.length ? times[times.length - 1] : 0;
    // The clock runs until nearly all light has come; its last step shows everything.
    const ends = this.tracks.map(t => t.end).filter(t => t !== null);
    this.duration = Math.max(quantile(times, 0.99), ...ends.map(t => Math.min(t, this.last)), 1);
    this.largest = Math.max(1, ...this.modules.map(m => m.total));
  }

  // Charge of a module until a time.
  static chargeUntil(hit, time) {
    if (time >= hit.times[hit.times.length - 1]) return hit.total;
    let low = 0, high = hit.times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (hit.times[middle] <= time) low = middle + 1; else high = middle;
    }
    return low ? hit.sums[low - 1] : 0;
  }
}
