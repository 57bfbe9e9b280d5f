'use strict';
// How a chart writes numbers and where its marks stand.

// Drawings write powers as "^{...}"; a canvas has one text size, so use raised characters.
const RAISED = {'0': '⁰', '1': '¹', '2': '²', '3': '³', '4': '⁴', '5': '⁵', '6': '⁶', '7': '⁷',
                '8': '⁸', '9': '⁹', '-': '⁻', '−': '⁻', '+': '⁺'};
const raise = text => [...String(text)].map(c => RAISED[c] || c).join('');
const plain = text => text.replace(/\^\{([^}]*)\}/g, (_, inner) => raise(inner))
                          .replace(/_\{([^}]*)\}/g, '$1');
const written = value => {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e5) return String(+value.toPrecision(5));
  const power = Math.floor(Math.log10(size));
  const lead = +(value / 10 ** power).toPrecision(3);
  return (lead === 1 ? '' : lead + '×') + '10' + raise(power);
};

// Round numbers within [low, high], about `count` of them.
function ticks(low, high, log, count) {
  const marks = [];
  if (log) {
    const first = Math.floor(Math.log10(low)), last = Math.floor(Math.log10(high) + 1e-9);
    const stride = Math.max(1, Math.ceil((last - first) / count));
    const leads = last - first < 3 ? [1, 2, 5] : [1];
    for (let e = first; e <= last; e += stride) marks.push(...leads.map(lead => lead * 10 ** e));
    const inside = marks.filter(mark => mark >= low && mark <= high);
    if (inside.length > 1) return inside;
    marks.length = 0;
  }
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find(s => s * power >= raw * 0.999) * power;
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i) {
    if (!log || i > 0) marks.push(i * step);
  }
  return marks;
}
