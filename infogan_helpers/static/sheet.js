// The model of an exported page: the same interface, with frames and readings looked up instead of computed.
async function sheetModel(data) {
  const image = new Image();
  image.src = `data:image/png;base64,${data.sheet}`;
  await image.decode();
  const readings = Uint8Array.from(atob(data.readings), (c) => c.charCodeAt(0));
  const { page: layout, axes } = data;
  const { classes, continuous, names } = layout;
  const [columns, rows] = [0, 1].map((a) => (a < axes.length ? axes[a].length : 1));
  const stride = classes + 2 * axes.length + names.length;
  const nearest = (a, x) => {
    const apart = axes[a].map((value) => (a < continuous ? Math.abs(value - x) : -Math.cos(value - x)));
    return apart.indexOf(Math.min(...apart));
  };
  const state = { page: layout, categorical: data.categorical, continuous: data.continuous, circular: data.circular, seeds: [], between: 0 };
  const listeners = {};
  const look = () => {
    const [i = 0, j = 0] = [...state.continuous, ...state.circular].map((x, a) => nearest(a, x));
    const chosen = classes ? state.categorical[0] : 0;
    const at = ((chosen * columns + i) * rows + j) * stride;
    const read = (offset) => readings[at + offset] / 255;
    const { mean, deviation, angle, angle_deviation, nats } = data.scales;
    const pairs = axes.map((_, a) => [2 * read(classes + 2 * a) - 1, read(classes + 2 * a + 1)]);
    const [values, angles] = [pairs.slice(0, continuous), pairs.slice(continuous)];
    const reading = {
      categorical: [Array.from({ length: classes }, (_, k) => read(k))],
      mean: values.map((pair) => pair[0] * mean),
      deviation: values.map((pair) => pair[1] * deviation),
      angle: angles.map((pair) => pair[0] * angle),
      angle_deviation: angles.map((pair) => pair[1] * angle_deviation),
      nats: names.map((_, i) => (2 * read(classes + 2 * axes.length + i) - 1) * nats),
    };
    const frame = (k) => ({ image, x: (k * columns + i) * layout.width, y: j * layout.height });
    state.view = { sprites: [{ frame }], readings: [reading], codes: { categorical: state.categorical, continuous: state.continuous, circular: state.circular } };
  };
  look();
  return {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; },
    save_changes: () => {
      look();
      for (const heard of ["categorical", "continuous", "circular", "view"]) (listeners[`change:${heard}`] ?? []).forEach((f) => f());
    },
    on: (event, f) => { (listeners[event] ??= []).push(f); },
    off: (event, f) => { listeners[event] = (listeners[event] ?? []).filter((g) => g !== f); },
  };
}
