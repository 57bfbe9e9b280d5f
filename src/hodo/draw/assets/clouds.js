'use strict';
// Points in three dimensions: drag to turn, Ctrl and wheel or the buttons to zoom, double-click to
// begin again, buttons to hide a set of points. Without this script the page shows a still view.
(() => {
  const floats = text => {
    const view = new DataView(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
    return Float32Array.from({length: view.byteLength / 4}, (_, i) => view.getFloat32(4 * i, true));
  };

  class Clouds {
    constructor(figure, data) {
      this.axes = data.axes;
      this.side = data.side;
      this.clouds = data.clouds.map(cloud => ({...cloud, points: floats(cloud.points)}));
      this.low = [0, 1, 2].map(() => Infinity);
      this.high = [0, 1, 2].map(() => -Infinity);
      for (const {points} of this.clouds) {
        for (let i = 0; i < points.length; ++i) {
          this.low[i % 3] = Math.min(this.low[i % 3], points[i]);
          this.high[i % 3] = Math.max(this.high[i % 3], points[i]);
        }
      }
      this.camera = new Camera();
      this.home();
      this.build(figure);
      this.listen();
      new ResizeObserver(() => this.draw()).observe(this.canvas);
      figure.classList.add('ready');
    }

    home() {
      const centre = this.low.map((value, axis) => (value + this.high[axis]) / 2);
      const radius = Math.hypot(...this.low.map((value, axis) => this.high[axis] - value)) / 2;
      this.camera.show({centre, radius});
      this.camera.distance *= 1.1;
    }

    build(figure) {
      const live = document.createElement('div'), keys = document.createElement('div');
      live.className = 'live';
      keys.className = 'keys';
      for (const cloud of this.clouds) {
        this.button(keys, cloud.label, cloud.shown, on => { cloud.shown = on; }, cloud.colour);
      }
      this.button(keys, 'turn', false, on => this.spin(on));
      this.button(keys, '+', null, () => this.camera.zoom(0.8));
      this.button(keys, '−', null, () => this.camera.zoom(1.25));
      this.canvas = document.createElement('canvas');
      this.canvas.setAttribute('role', 'img');
      this.canvas.setAttribute('aria-label', figure.querySelector('figcaption').textContent);
      live.append(keys, this.canvas);
      figure.prepend(live);
    }

    button(parent, text, on, act, colour) {
      const button = document.createElement('button');
      button.type = 'button';
      if (on !== null) button.setAttribute('aria-pressed', on);
      if (colour) {
        const dot = document.createElement('i');
        dot.style.background = colour;
        button.append(dot);
      }
      button.append(text);
      button.addEventListener('click', () => {
        const now = on !== null && button.getAttribute('aria-pressed') !== 'true';
        if (on !== null) button.setAttribute('aria-pressed', now);
        act(now);
        this.draw();
      });
      parent.append(button);
    }

    spin(on) {
      this.spinning = on;
      let last = performance.now();
      const step = now => {
        if (!this.spinning) return;
        this.camera.turn((now - last) / 2500, 0);
        last = now;
        this.paint();
        requestAnimationFrame(step);
      };
      if (on) requestAnimationFrame(step);
    }

    listen() {
      let from = null;
      this.canvas.addEventListener('pointerdown', event => {
        this.canvas.setPointerCapture(event.pointerId);
        from = event;
      });
      this.canvas.addEventListener('pointermove', event => {
        if (!from) return;
        const dx = event.clientX - from.clientX, dy = event.clientY - from.clientY;
        if (event.shiftKey) this.camera.move(dx, dy, this.canvas.clientHeight);
        else this.camera.turn(-0.006 * dx, 0.006 * dy);
        from = event;
        this.draw();
      });
      for (const end of ['pointerup', 'pointercancel']) {
        this.canvas.addEventListener(end, () => { from = null; });
      }
      this.canvas.addEventListener('dblclick', () => { this.home(); this.draw(); });
      this.canvas.addEventListener('wheel', event => {
        if (!event.ctrlKey) return;  // The wheel alone moves the page.
        event.preventDefault();
        this.camera.zoom(Math.exp(0.0012 * event.deltaY));
        this.draw();
      }, {passive: false});
    }

    draw() {
      if (this.waiting) return;
      this.waiting = true;
      requestAnimationFrame(() => { this.waiting = false; this.paint(); });
    }

    paint() {
      const ratio = window.devicePixelRatio || 1, {canvas} = this;
      const width = canvas.clientWidth, height = canvas.clientHeight;
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      const pen = canvas.getContext('2d'), style = getComputedStyle(document.documentElement);
      pen.scale(ratio, ratio);
      pen.strokeStyle = pen.fillStyle = style.getPropertyValue('--quiet').trim();
      this.paintBox(pen, width, height);
      const m = this.camera.viewMatrix();
      for (const {points, colour, shown} of this.clouds) {
        if (!shown) continue;
        pen.fillStyle = colour;
        for (let i = 0; i < points.length; i += 3) {
          const x = points[i], y = points[i + 1], z = points[i + 2];
          const depth = -(m[2] * x + m[6] * y + m[10] * z + m[14]);
          if (depth <= 0) continue;
          const scale = this.camera.pixelsPerMetre(depth, height);
          const size = Math.max(1.3, this.side * scale);
          pen.fillRect(width / 2 + (m[0] * x + m[4] * y + m[8] * z + m[12]) * scale - size / 2,
                       height / 2 - (m[1] * x + m[5] * y + m[9] * z + m[13]) * scale - size / 2,
                       size, size);
        }
      }
    }

    // The edges of the box around all points; the three from its lowest corner have names.
    paintBox(pen, width, height) {
      const at = point => this.camera.project(point, width, height);
      const ends = [this.low, this.high];
      pen.lineWidth = 0.7;
      pen.font = '12px system-ui, "DejaVu Sans", sans-serif';
      pen.textAlign = 'center';
      for (let corner = 0; corner < 8; ++corner) {
        const from = [0, 1, 2].map(axis => ends[corner >> axis & 1][axis]);
        for (let axis = 0; axis < 3; ++axis) {
          if (corner >> axis & 1) continue;
          const to = from.map((value, d) => d === axis ? this.high[d] : value);
          const a = at(from), b = at(to);
          if (!a || !b) continue;
          pen.beginPath();
          pen.moveTo(a.x, a.y);
          pen.lineTo(b.x, b.y);
          pen.stroke();
          if (corner !== 0) continue;
          const length = (this.high[axis] - this.low[axis]).toPrecision(2);
          pen.fillText(`${this.axes[axis]}: ${+length} m`, (a.x + b.x) / 2, (a.y + b.y) / 2 - 5);
        }
      }
    }
  }

  const data = JSON.parse(document.getElementById('clouds').textContent);
  for (const figure of document.querySelectorAll('figure.clouds')) {
    new Clouds(figure, data[+figure.dataset.clouds]);
  }
})();
