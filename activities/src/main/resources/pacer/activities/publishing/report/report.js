// Shows the values of a chart's curves under the pointer. They are read back from the drawn shapes.
for (const chart of document.querySelectorAll('figure.chart[data-x]')) {
  const [x0, x1] = chart.dataset.x.split(' ').map(Number);
  const [y0, y1] = chart.dataset.y.split(' ').map(Number);
  const log = chart.dataset.log === 'true';
  const plot = chart.querySelector('.plot'), cursor = plot.querySelector('.cursor'), tip = plot.querySelector('.tip');
  const curves = [...plot.querySelectorAll('[data-name]')].map(shape => ({
    name: shape.dataset.name,
    points: (shape.getAttribute('points') || shape.getAttribute('d').replace(/M(\S+) (\S+)h0/g, '$1,$2 ').trim())
      .split(' ').map(pair => pair.split(',').map(Number)),
  }));
  const value = y => { const s = 1 - y / 2000; return log ? y0 * (y1 / y0) ** s : y0 + (y1 - y0) * s; };
  const say = v => Math.abs(v) >= 1e4 ? Math.round(v).toLocaleString('en') : v !== 0 && Math.abs(v) < 1e-2 ? v.toExponential(2) : String(+v.toPrecision(4));
  const show = event => {
    const box = plot.getBoundingClientRect();
    const x = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * 2000;
    const lines = ['step ' + Math.round(x0 + (x1 - x0) * x / 2000).toLocaleString('en')];
    for (const curve of curves) {
      const near = curve.points.reduce((a, b) => Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a);
      if (Math.abs(near[0] - x) < 150) lines.push(curve.name + ' ' + say(value(near[1])));
    }
    tip.replaceChildren(...lines.flatMap((line, i) => i ? [document.createElement('br'), line] : [line]));
    cursor.hidden = tip.hidden = false;
    cursor.style.left = x / 20 + '%';
    const right = x > 1200;
    tip.style.left = right ? 'auto' : 'calc(' + x / 20 + '% + 8px)';
    tip.style.right = right ? 'calc(' + (100 - x / 20) + '% + 8px)' : 'auto';
  };
  plot.addEventListener('pointermove', show);
  plot.addEventListener('pointerdown', show);
  plot.addEventListener('pointerleave', () => { cursor.hidden = tip.hidden = true; });
}
