'use strict';
// Interactive curves: drag to zoom, double-click to see all, hover to read off, buttons to hide a
// curve and to change the vertical scale. Data come from the report's own numbers; without this
// script the page shows the drawing made with them.
(() => {
  const MARGIN = {left: 64, right: 12, top: 10, bottom: 42};
  const report = JSON.parse(document.getElementById('numbers').textContent);

  class Chart {
    constructor(figure) {
      const section = report.sections[+figure.dataset.section];
      this.data = section.curves[+figure.dataset.curves];
      this.lines = this.data.lines.map(line => ({...line, shown: true}));
      this.log = this.data.y_scale === 'log';
      this.zoom = null;
      this.pointer = null;
      this.dragFrom = null;
      this.build(figure);
      this.listen();
      new ResizeObserver(() => this.draw()).observe(this.canvas);
      figure.classList.add('ready');
    }

    build(figure) {
      const live = document.createElement('div');
      live.className = 'live';
      const keys = document.createElement('div');
      keys.className = 'keys';
      for (const line of this.lines) {
        if (!line.label) continue;
        this.button(keys, plain(line.label), true, on => { line.shown = on; }, line.colour);
      }
      this.button(keys, 'log scale', this.log, on => { this.log = on; this.zoom = null; });
      this.output = document.createElement('output');
      keys.append(this.output);
      this.canvas = document.createElement('canvas');
      this.canvas.setAttribute('role', 'img');
      this.canvas.setAttribute('aria-label', this.data.caption);
      live.append(keys, this.canvas);
      figure.prepend(live);
    }

    button(parent, text, on, act, colour) {
      const button = document.createElement('button');
      button.type = 'button';
      button.setAttribute('aria-pressed', on);
      if (colour) {
        const dot = document.createElement('i');
        dot.style.background = colour;
        button.append(dot);
      }
      button.append(text);
      button.addEventListener('click', () => {
        const now = button.getAttribute('aria-pressed') !== 'true';
        button.setAttribute('aria-pressed', now);
        act(now);
        this.draw();
      });
      parent.append(button);
    }

    listen() {
      const place = event => {
        const box = this.canvas.getBoundingClientRect();
        return {x: event.clientX - box.left, y: event.clientY - box.top};
      };
      this.canvas.addEventListener('pointerdown', event => {
        this.dragFrom = place(event);
        this.canvas.setPointerCapture(event.pointerId);
      });
      this.canvas.addEventListener('pointermove', event => {
        this.pointer = place(event);
        this.draw();
      });
      this.canvas.addEventListener('pointerleave', () => { this.pointer = null; this.draw(); });
      this.canvas.addEventListener('pointerup', event => {
        const from = this.dragFrom, to = place(event);
        this.dragFrom = null;
        if (from && Math.abs(to.x - from.x) > 8 && Math.abs(to.y - from.y) > 8) {
          const xs = [from.x, to.x].map(x => this.xValue(x)).sort((a, b) => a - b);
          const ys = [from.y, to.y].map(y => this.yValue(y)).sort((a, b) => a - b);
          this.zoom = {x: xs, y: ys};
        }
        this.draw();
      });
      this.canvas.addEventListener('dblclick', () => { this.zoom = null; this.draw(); });
    }

    takes(x, y) { return x !== null && y !== null && (!this.log || y > 0); }

    ranges() {
      if (this.zoom) return this.zoom;
      let x = [Infinity, -Infinity], y = [Infinity, -Infinity];
      for (const line of this.lines.filter(l => l.shown)) {
        line.x.forEach((value, i) => {
          if (!this.takes(value, line.y[i])) return;
          x = [Math.min(x[0], value), Math.max(x[1], value)];
          y = [Math.min(y[0], line.y[i]), Math.max(y[1], line.y[i])];
        });
      }
      if (x[0] > x[1]) return {x: [0, 1], y: this.log ? [0.1, 1] : [0, 1]};
      if (x[0] === x[1]) x = [x[0] - 0.5, x[1] + 0.5];
      if (this.log) return {x, y: [y[0] / (y[1] / y[0] || 1) ** 0.05 * 0.98, y[1] * (y[1] / y[0]) ** 0.05 * 1.02]};
      const pad = 0.06 * (y[1] - y[0]) || 0.1 * Math.abs(y[0]) || 1;
      return {x, y: [y[0] - pad, y[1] + pad]};
    }

    xPlace(value) { return MARGIN.left + this.width * (value - this.x[0]) / (this.x[1] - this.x[0]); }
    xValue(place) { return this.x[0] + (place - MARGIN.left) / this.width * (this.x[1] - this.x[0]); }
    yPlace(value) {
      const [low, high] = this.y;
      const part = this.log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
      return MARGIN.top + this.height * (1 - part);
    }
    yValue(place) {
      const [low, high] = this.y, part = 1 - (place - MARGIN.top) / this.height;
      return this.log ? low * (high / low) ** part : low + part * (high - low);
    }

    draw() {
      const box = this.canvas.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
      if (box.width === 0) return;
      this.canvas.width = Math.round(box.width * ratio);
      this.canvas.height = Math.round(box.height * ratio);
      this.width = box.width - MARGIN.left - MARGIN.right;
      this.height = box.height - MARGIN.top - MARGIN.bottom;
      ({x: this.x, y: this.y} = this.ranges());
      const pen = this.canvas.getContext('2d');
      pen.scale(ratio, ratio);
      const style = getComputedStyle(document.documentElement);
      this.ink = style.getPropertyValue('--ink');
      this.drawAxes(pen, style.getPropertyValue('--line'), style.getPropertyValue('--quiet'));
      pen.save();
      pen.beginPath();
      pen.rect(MARGIN.left, MARGIN.top, this.width, this.height);
      pen.clip();
      for (const line of this.lines.filter(l => l.shown)) this.drawLine(pen, line);
      this.drawPointer(pen);
      pen.restore();
    }

    drawAxes(pen, line, quiet) {
      const bottom = MARGIN.top + this.height;
      pen.font = '12px system-ui, "DejaVu Sans", sans-serif';
      pen.lineWidth = 1;
      pen.strokeStyle = line;
      pen.fillStyle = quiet;
      pen.textAlign = 'center';
      for (const value of ticks(this.x[0], this.x[1], false, Math.max(2, this.width / 90))) {
        const x = this.xPlace(value);
        pen.strokeRect(x, MARGIN.top, 0, this.height);
        pen.fillText(written(value), x, bottom + 16);
      }
      pen.textAlign = 'right';
      for (const value of ticks(this.y[0], this.y[1], this.log, Math.max(2, this.height / 45))) {
        const y = this.yPlace(value);
        pen.strokeRect(MARGIN.left, y, this.width, 0);
        pen.fillText(written(value), MARGIN.left - 7, y + 4);
      }
      pen.fillStyle = this.ink;
      pen.textAlign = 'center';
      pen.fillText(plain(this.data.x_label), MARGIN.left + this.width / 2, bottom + 35);
      pen.save();
      pen.translate(14, MARGIN.top + this.height / 2);
      pen.rotate(-Math.PI / 2);
      pen.fillText(plain(this.data.y_label), 0, 0);
      pen.restore();
    }

    drawLine(pen, line) {
      pen.beginPath();
      pen.strokeStyle = line.colour;
      pen.lineWidth = 1.8;
      let down = false;
      line.x.forEach((value, i) => {
        const known = this.takes(value, line.y[i]);
        if (known) pen[down ? 'lineTo' : 'moveTo'](this.xPlace(value), this.yPlace(line.y[i]));
        down = known;
      });
      pen.stroke();
    }

    // A drag's rectangle, or the values nearest to the pointer.
    drawPointer(pen) {
      this.output.textContent = this.zoom ? 'double-click: see all' : 'drag: zoom';
      if (!this.pointer) return;
      if (this.dragFrom) {
        pen.fillStyle = 'rgba(86, 180, 233, 0.25)';
        pen.fillRect(this.dragFrom.x, this.dragFrom.y, this.pointer.x - this.dragFrom.x,
                     this.pointer.y - this.dragFrom.y);
        return;
      }
      const wanted = this.xValue(this.pointer.x), texts = [];
      let shown = null;
      for (const line of this.lines.filter(l => l.shown)) {
        let best = -1;
        line.x.forEach((value, i) => {
          if (!this.takes(value, line.y[i])) return;
          if (best < 0 || Math.abs(value - wanted) < Math.abs(line.x[best] - wanted)) best = i;
        });
        if (best < 0) continue;
        shown = shown === null ? line.x[best] : shown;
        texts.push(plain(line.label) + ' ' + written(line.y[best]));
        pen.beginPath();
        pen.fillStyle = line.colour;
        pen.arc(this.xPlace(line.x[best]), this.yPlace(line.y[best]), 3.5, 0, 2 * Math.PI);
        pen.fill();
      }
      if (shown !== null) this.output.textContent = written(shown) + ': ' + texts.join(', ');
    }
  }

  document.querySelectorAll('figure.curves').forEach(figure => new Chart(figure));
})();
