// The model of an exported page: the same interface, with frames and readings looked up instead of computed. Each sheet
// holds the pictures of one noise: G's own, then one for each real picture.

const bytesIn = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

// One sheet: `look(chosen, places)` finds the picture nearest to where the controls are, and what Q reads on it.
async function openSheet({ axes, sheet, readings: packed, drawing, start, step }, { classes, continuous, names, height, width }, scales) {
  const image = new Image();
  image.src = `data:image/png;base64,${sheet}`;
  await image.decode();
  const readings = bytesIn(packed);
  const [columns, rows] = [0, 1].map((a) => (a < axes.length ? axes[a].length : 1));
  const stride = classes + 2 * axes.length + names.length;
  const nearest = (a, x) => {
    const apart = axes[a].map((value) => (a < continuous ? Math.abs(value - x) : -Math.cos(value - x)));
    return apart.indexOf(Math.min(...apart));
  };
  const readingAt = (at) => {
    const read = (offset) => readings[at + offset] / 255;
    const { mean, deviation, angle, angle_deviation, nats } = scales;
    const pairs = axes.map((_, a) => [2 * read(classes + 2 * a) - 1, read(classes + 2 * a + 1)]);
    const [values, angles] = [pairs.slice(0, continuous), pairs.slice(continuous)];
    return {
      categorical: [Array.from({ length: classes }, (_, k) => read(k))],
      mean: values.map((pair) => pair[0] * mean),
      deviation: values.map((pair) => pair[1] * deviation),
      angle: angles.map((pair) => pair[0] * angle),
      angle_deviation: angles.map((pair) => pair[1] * angle_deviation),
      nats: names.map((_, i) => (2 * read(classes + 2 * axes.length + i) - 1) * nats),
    };
  };
  const look = (chosen, places) => {
    const at = places.map((x, a) => nearest(a, x));
    const [i = 0, j = 0] = at;
    const frame = (k) => ({ image, x: (k * columns + i) * width, y: j * height });
    return { frame, reading: readingAt(((chosen * columns + i) * rows + j) * stride), places: at.map((place, a) => axes[a][place]) };
  };
  const real = drawing ? { heading: drawing.heading, seen: bytesIn(drawing.seen), others: bytesIn(drawing.others) } : null;
  return { look, start, step, real };
}

async function sheetModel({ page: layout, scales, sheets: stored }) {
  const sheets = await Promise.all(stored.map((sheet) => openSheet(sheet, layout, scales)));
  const { classes, continuous } = layout;
  const state = { page: layout, ...sheets[0].start, seeds: [], between: 0, example: 0 };
  const listeners = {};
  const look = () => {
    const { look: find, start, step, real } = sheets[state.example];
    const { frame, reading, places } = find(classes ? state.categorical[0] : 0, [...state.continuous, ...state.circular]);
    const codes = { categorical: state.categorical, continuous: places.slice(0, continuous), circular: places.slice(continuous) };
    Object.assign(state, codes, { start, step, view: { sprites: [{ frame }], readings: [reading], codes, drawing: real } });
  };
  look();
  return {
    get: (name) => state[name],
    set: (name, value) => {
      state[name] = value;
      if (name === "example") Object.assign(state, sheets[value].start);
    },
    save_changes: () => {
      look();
      for (const heard of ["categorical", "continuous", "circular", "view"]) (listeners[`change:${heard}`] ?? []).forEach((f) => f());
    },
    thumbnail: async (k) => {
      const { start, real, look: find } = sheets[k];
      if (real) return createImageBitmap(new Blob([real.seen], { type: "image/png" }));
      const { image, x, y } = find(0, [...start.continuous, ...start.circular]).frame(0);
      return createImageBitmap(image, x, y, layout.width, layout.height);
    },
    on: (event, f) => { (listeners[event] ??= []).push(f); },
    off: (event, f) => { listeners[event] = (listeners[event] ?? []).filter((g) => g !== f); },
  };
}
