'use strict';
// The page: which event, which time, what the pointer is on, and what is written beside the view.

const element = id => document.getElementById(id);
const rounded = (value, digits = 4) =>
    Math.abs(value) >= 1e6 || (value !== 0 && Math.abs(value) < 1e-3)
        ? value.toExponential(digits - 2)
        : String(+value.toPrecision(digits)).replace('-', '−');

function energyText(energy) {
  if (energy === null) return '';
  const unit = [['PeV', 1e6], ['TeV', 1e3], ['GeV', 1], ['MeV', 1e-3]].find(u => energy >= u[1]);
  return unit ? rounded(energy / unit[1], 3) + ' ' + unit[0] : rounded(energy, 3) + ' GeV';
}

function timeColour(part) {
  const place = Math.min(1, Math.max(0, part)) * (TIME_COLOURS.length - 1);
  const index = Math.min(Math.floor(place), TIME_COLOURS.length - 2);
  const low = colourOf(TIME_COLOURS[index]), high = colourOf(TIME_COLOURS[index + 1]);
  return low.map((value, i) => value + (high[i] - value) * (place - index));
}

function fillList(list, pairs) {
  list.replaceChildren(...pairs.flatMap(([name, value]) => {
    const dt = document.createElement('dt'), dd = document.createElement('dd');
    dt.textContent = name;
    dd.textContent = value;
    return [dt, dd];
  }));
}

class Page {
  constructor(data, scene) {
    this.data = data;
    this.scene = scene;
    this.detector = new Detector(data.modules);
    this.camera = new Camera();
    this.home();
    this.lights = new Map();
    this.sphereScale = 1;
    this.showTracks = true;
    this.playing = false;
    this.hovered = this.kept = null;
    scene.fill(scene.dots, this.detector.dots);
    element('title').textContent = data.title;
    element('unit').textContent = data.charge_unit;
    element('first').textContent = `${data.words.time || 'first ' + data.words.light} [${data.words.time_unit}]`;
    element('events').replaceChildren(
        ...data.events.map((event, i) => new Option(event.title || `event ${i + 1}`, i)));
    element('colours').style.background = `linear-gradient(to right, ${TIME_COLOURS.join(', ')})`;
    this.listen();
    this.choose(0);
  }

  // ---- state -----------------------------------------------------------------------------------

  choose(index) {
    const count = this.data.events.length;
    if (count === 0) {
      element('summary').textContent = 'no events';
      this.refresh();
      return;
    }
    this.index = (index + count) % count;
    if (!this.lights.has(this.index)) {
      this.lights.set(this.index, new EventLight(this.data.events[this.index]));
    }
    this.light = this.lights.get(this.index);
    this.hovered = this.kept = null;
    element('events').value = this.index;
    const {modules, charge, facts, latestColour} = this.light;
    element('summary').textContent = `${modules.length.toLocaleString('en')} ${this.data.words.module}s hit, ` +
        `${(+charge.toPrecision(7)).toLocaleString('en')} ${this.data.charge_unit}`;
    fillList(element('facts'), facts);
    element('earliest').textContent = modules.length ? '0' : '';
    element('latest').textContent = modules.length ? '≥ ' + rounded(this.inUnits(latestColour), 3) : '';
    this.setClock(1);
  }

  // The clock's place in [0, 1]; at its end everything is shown.
  setClock(part) {
    this.clock = Math.min(1, Math.max(0, part));
    this.now = !this.light || this.clock >= 1 ? Infinity : this.clock * this.light.duration;
    element('time').value = Math.round(1000 * this.clock);
    element('clock').textContent = this.now === Infinity ? 'all times' : this.timeText(this.now);
    this.refresh();
  }

  play(on) {
    if (on === this.playing || !this.light) return;
    this.playing = on;
    element('play').textContent = on ? '❙❙' : '▶';
    element('play').setAttribute('aria-pressed', on);
    if (!on) return;
    let place = this.clock >= 1 ? 0 : this.clock, last = performance.now();
    const step = now => {
      if (!this.playing) return;
      place += (now - last) / 7000;  // An event lasts seven seconds.
      last = now;
      this.setClock(place);
      if (place >= 1) this.play(false); else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  inUnits(time) { return time / this.data.time_unit; }
  timeText(time) { return `${rounded(this.inUnits(time))} ${this.data.words.time_unit}`; }

  radiusOf(charge) {
    return this.sphereScale * 0.3 * this.detector.spacing * (0.55 + Math.log10(1 + Math.max(0, charge)));
  }

  // Voxels fill their box to its corners, which modules rarely do.
  home() {
    this.camera.show(this.detector);
    if (this.detector.dots.length === 0) this.camera.distance *= 1.15;
  }

  // ---- drawing ---------------------------------------------------------------------------------

  refresh() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.draw(); });
  }

  colour(name) {
    return colourOf(getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  }

  draw() {
    const spheres = [], lines = [];
    this.visible = [];
    for (const hit of this.light ? this.light.modules : []) {
      const charge = EventLight.chargeUntil(hit, this.now);
      if (charge <= 0) continue;
      const radius = this.radiusOf(charge), position = this.detector.position(hit.module);
      spheres.push(...position, radius, ...timeColour(hit.first / this.light.latestColour));
      this.visible.push({hit, charge, radius, position});
    }
    this.addFrame(lines);
    if (this.showTracks && this.light) this.addTracks(lines);
    this.scene.fill(this.scene.spheres, spheres);
    this.scene.fill(this.scene.lines, lines);
    this.scene.resize();
    this.scene.draw(this.camera, {paper: this.colour('--paper'), sensor: this.colour('--sensor'),
                                  dotSize: 0.1 * this.detector.spacing});
    this.drawMarks();
    this.drawSizes();
    document.body.dataset.spheres = this.visible.length;
  }

  // The twelve edges of the box around the detector.
  addFrame(lines) {
    const {low, high} = this.detector, ends = [low, high], tint = [...this.colour('--box'), 1.2];
    for (let axis = 0; axis < 3; ++axis) {
      const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
      for (const a of ends) {
        for (const b of ends) {
          const from = [...low], to = [...high];
          from[u] = to[u] = a[u];
          from[v] = to[v] = b[v];
          lines.push(...from, ...to, ...tint);
        }
      }
    }
  }

  addTracks(lines) {
    const tint = [...this.colour('--track'), 2.6];
    for (const track of this.light.tracks) {
      const head = this.headOf(track);
      if (head) lines.push(...track.from, ...head, ...tint);
    }
  }

  // Where a particle is now; null before it starts.
  headOf({from, to, start, end}) {
    if (start === null || end === null || this.now >= end) return to;
    if (this.now <= start) return null;
    const part = (this.now - start) / (end - start);
    return from.map((value, i) => value + part * (to[i] - value));
  }

  // Flat marks above the scene: axes, scale, names of particles, ring about a module.
  drawMarks() {
    const canvas = element('marks'), ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext('2d'), style = getComputedStyle(document.documentElement);
    pen.scale(ratio, ratio);
    pen.font = '12px system-ui, "DejaVu Sans", sans-serif';
    pen.fillStyle = pen.strokeStyle = style.getPropertyValue('--quiet');
    this.drawAxes(pen, 52, height - 118);
    this.drawScale(pen, 96, height - 92, height);
    if (this.showTracks && this.light) {
      pen.fillStyle = style.getPropertyValue('--track');
      for (const track of this.light.tracks) this.drawName(pen, track, width, height);
    }
    const shown = this.kept || this.hovered;
    if (!shown) return;
    const place = this.camera.project(this.detector.position(shown.module), width, height);
    if (!place) return;
    const hit = this.visible.find(v => v.hit.module === shown.module);
    pen.strokeStyle = style.getPropertyValue('--ink');
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.arc(place.x, place.y, (hit ? hit.radius * place.scale : 3) + 3, 0, 2 * Math.PI);
    pen.stroke();
  }

  drawAxes(pen, x, y) {
    const {right, up} = this.camera.directions();
    this.data.words.axes.forEach((name, axis) => {
      const dx = 26 * right[axis], dy = -26 * up[axis];
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(x + dx, y + dy);
      pen.stroke();
      pen.fillText(name, x + 1.35 * dx - 3, y + 1.35 * dy + 4);
    });
  }

  // A round length at the distance of the target.
  drawScale(pen, x, y, height) {
    const perMetre = this.camera.pixelsPerMetre(this.camera.distance, height);
    const raw = 110 / perMetre, power = 10 ** Math.floor(Math.log10(raw));
    const length = [5, 2, 1].find(digit => digit * power <= raw) * power, pixels = length * perMetre;
    pen.strokeRect(x, y, pixels, 0);
    pen.strokeRect(x, y - 4, 0, 8);
    pen.strokeRect(x + pixels, y - 4, 0, 8);
    pen.fillText(rounded(length) + ' m', x + pixels + 8, y + 4);
  }

  drawName(pen, track, width, height) {
    const head = this.headOf(track);
    if (!head) return;
    const inside = head.map((v, i) =>
        Math.min(this.detector.high[i], Math.max(this.detector.low[i], v)));
    const outside = Math.hypot(...head.map((v, i) => v - inside[i])) > this.detector.radius;
    const place = this.camera.project(outside ? inside : head, width, height);
    if (place && track.label) pen.fillText(track.label + ' ' + energyText(track.energy), place.x + 6, place.y - 6);
  }

  drawSizes() {
    const canvas = element('sizes'), pen = canvas.getContext('2d');
    const style = getComputedStyle(document.documentElement);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.textAlign = 'center';
    pen.font = '24px system-ui, "DejaVu Sans", sans-serif';
    const largest = this.light ? this.light.largest : 100;
    const charges = [1, 10, 100, 1000, 1e4, 1e5].filter(c => c <= 2 * largest).slice(-4);
    const height = element('scene').clientHeight;
    const scale = 2 * this.camera.pixelsPerMetre(this.camera.distance, height);
    const fit = Math.min(scale, 34 / this.radiusOf(charges[charges.length - 1]));
    charges.forEach((charge, i) => {
      const x = (i + 0.5) * canvas.width / charges.length;
      pen.fillStyle = style.getPropertyValue('--sensor');
      pen.beginPath();
      pen.arc(x, 40, this.radiusOf(charge) * fit, 0, 2 * Math.PI);
      pen.fill();
      pen.fillStyle = style.getPropertyValue('--ink');
      pen.fillText(charge.toLocaleString('en'), x, 108);
    });
  }

  // ---- reading off -----------------------------------------------------------------------------

  // The module under a place on the screen: spheres first, then dots.
  moduleAt(x, y) {
    const {clientWidth: width, clientHeight: height} = element('scene');
    let best = null;
    const consider = (module, radius, slack) => {
      const place = this.camera.project(this.detector.position(module), width, height);
      if (!place || Math.hypot(place.x - x, place.y - y) > radius * place.scale + slack) return;
      if (!best || place.depth < best.depth) best = {module, depth: place.depth};
    };
    for (const {hit, radius} of this.visible) consider(hit.module, radius, 2);
    if (!best) for (let module = 0; module < this.detector.count; ++module) consider(module, 0, 4);
    return best;
  }

  readOut() {
    const shown = this.kept || this.hovered;
    element('readout').hidden = !shown;
    if (!shown) return;
    const {words} = this.data;
    const {module} = shown, hit = this.light && this.light.modules.find(m => m.module === module);
    element('module').textContent =
        `${words.string} ${this.detector.strings[module]}, ` +
        `${words.sensor} ${this.detector.sensors[module]}`;
    const pairs = [[`${words.axes.join(', ')} [m]`, this.detector.position(module).map(v => rounded(v)).join(', ')]];
    if (hit) {
      const unit = words.time_unit, time = value => rounded(this.inUnits(value), 6);
      pairs.push([this.data.charge_unit, rounded(hit.total)]);
      if (words.time) {
        pairs.push([`${words.time} [${unit}]`, time(this.light.first + hit.first)]);
      } else {
        pairs.push([`first ${words.light} [${unit}]`, time(hit.first)],
                   [`last ${words.light} [${unit}]`, time(hit.times[hit.times.length - 1])],
                   [`simulation clock [${unit}]`, this.inUnits(this.light.first + hit.first).toFixed(1)]);
      }
    }
    fillList(element('values'), pairs);
    element('times').hidden = !hit || hit.times.length < 2;
    if (!element('times').hidden) this.drawTimes(hit);
  }

  drawTimes(hit) {
    const canvas = element('times'), pen = canvas.getContext('2d'), bins = 55;
    const style = getComputedStyle(document.documentElement);
    const low = hit.first, span = Math.max(hit.times[hit.times.length - 1] - low, 1e-3);
    const sums = new Array(bins).fill(0);
    hit.times.forEach((time, i) => {
      sums[Math.min(bins - 1, Math.floor((time - low) / span * bins))] += hit.charges[i];
    });
    const largest = Math.max(...sums), wide = canvas.width / bins;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    sums.forEach((sum, i) => {
      const tint = timeColour((low + (i + 0.5) / bins * span) / this.light.latestColour);
      pen.fillStyle = `rgb(${tint.map(v => Math.round(255 * v)).join(',')})`;
      const height = 92 * Math.max(0, sum) / largest;
      pen.fillRect(i * wide, 92 - height, wide - 1, height);
    });
    pen.fillStyle = style.getPropertyValue('--quiet');
    pen.fillRect(0, 92, canvas.width, 1);
    pen.font = '20px system-ui, "DejaVu Sans", sans-serif';
    pen.textAlign = 'left';
    pen.fillText(rounded(this.inUnits(low)), 0, 116);
    pen.textAlign = 'right';
    pen.fillText(this.timeText(low + span), canvas.width, 116);
  }

  // ---- pointer, keys, buttons --------------------------------------------------------------------

  listen() {
    const on = (id, type, act) => element(id).addEventListener(type, act);
    on('events', 'change', () => this.choose(+element('events').value));
    on('previous', 'click', () => this.choose(this.index - 1));
    on('next', 'click', () => this.choose(this.index + 1));
    on('play', 'click', () => this.play(!this.playing));
    on('time', 'input', () => { this.play(false); this.setClock(element('time').value / 1000); });
    on('background', 'click', () => this.press('b'));
    on('home', 'click', () => this.press('r'));
    on('ask', 'click', () => this.press('?'));
    window.addEventListener('resize', () => this.refresh());
    document.addEventListener('keydown', event => {
      if (event.ctrlKey || event.altKey || event.metaKey || element('help').open) return;
      if (event.target.matches('select, input') && event.key !== '?') return;
      if (event.target.matches('button') && event.key === ' ') return;
      if (this.press(event.key)) event.preventDefault();
    });
    this.listenToPointers(element('scene'));
  }

  press(key) {
    const acts = {
      ArrowLeft: () => this.camera.turn(-0.08, 0), ArrowRight: () => this.camera.turn(0.08, 0),
      ArrowUp: () => this.camera.turn(0, 0.08), ArrowDown: () => this.camera.turn(0, -0.08),
      '+': () => this.camera.zoom(0.88), '=': () => this.camera.zoom(0.88),
      '-': () => this.camera.zoom(1.14), ' ': () => this.play(!this.playing),
      ',': () => this.setClock(this.clock - 0.01), '.': () => this.setClock(this.clock + 0.01),
      n: () => this.choose(this.index + 1), p: () => this.choose(this.index - 1),
      '[': () => { this.sphereScale /= 1.2; }, ']': () => { this.sphereScale *= 1.2; },
      t: () => { this.showTracks = !this.showTracks; },
      b: () => document.documentElement.classList.toggle('light'),
      r: () => this.home(), '?': () => element('help').showModal(),
    };
    if (!Object.hasOwn(acts, key)) return false;
    acts[key]();
    this.refresh();
    return true;
  }

  listenToPointers(scene) {
    const fingers = new Map();
    let moved = 0;
    const place = event => ({x: event.clientX, y: event.clientY});
    const spread = () => {
      const [a, b] = [...fingers.values()];
      return Math.hypot(a.x - b.x, a.y - b.y);
    };
    scene.addEventListener('contextmenu', event => event.preventDefault());
    scene.addEventListener('pointerdown', event => {
      scene.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, place(event));
      moved = 0;
    });
    scene.addEventListener('pointermove', event => {
      const before = fingers.get(event.pointerId), now = place(event);
      if (!before) {
        this.hovered = this.moduleAt(now.x, now.y);
      } else {
        const dx = now.x - before.x, dy = now.y - before.y;
        const apart = fingers.size === 2 ? spread() : 0;
        moved += Math.abs(dx) + Math.abs(dy);
        fingers.set(event.pointerId, now);
        if (fingers.size === 2) {
          this.camera.zoom(apart / Math.max(spread(), 1));
          this.camera.move(dx / 2, dy / 2, scene.clientHeight);
        } else if (event.buttons === 2 || event.shiftKey) {
          this.camera.move(dx, dy, scene.clientHeight);
        } else {
          this.camera.turn(-0.006 * dx, 0.006 * dy);
        }
      }
      this.readOut();
      this.refresh();
    });
    const end = event => {
      if (fingers.delete(event.pointerId) && event.type === 'pointerup' && moved < 4) {
        const {x, y} = place(event);
        this.kept = this.moduleAt(x, y);
        this.readOut();
        this.refresh();
      }
    };
    scene.addEventListener('pointerup', end);
    scene.addEventListener('pointercancel', end);
    scene.addEventListener('wheel', event => {
      event.preventDefault();
      this.camera.zoom(Math.exp(0.0012 * event.deltaY));
      this.refresh();
    }, {passive: false});
  }
}

(() => {
  const scene = new Scene(element('scene'));
  if (!scene.gl) {
    element('missing').hidden = false;
    return;
  }
  new Page(JSON.parse(element('display').textContent), scene);
})();
