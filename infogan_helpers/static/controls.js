// The controls of the explorer's page: a slider for a value, a dial for an angle, a button that sweeps either.

const PLAY_EVERY = 60; // milliseconds between two steps of a sweep
const TURN = 2 * Math.PI; // radians

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  if (["input", "button", "select", "code"].includes(tag)) made.dataset.lmSuppressShortcuts = "true"; // else JupyterLab takes the arrow keys
  made.append(...children);
  return made;
}

const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);

const degrees = (angle) => `${Math.round((360 * angle) / TURN)}°`.replace("-", "−");

// A code's name beside its control, with what it turned out to be where that is known.
const codeName = ({ name, meaning }) => element("span", { class: "name", "aria-hidden": "true" }, name, ...(meaning ? [element("span", { class: "meaning" }, meaning)] : []));

const labelled = ({ name, meaning }) => (meaning ? `${name}, ${meaning}` : name);

// A button that moves a control on and on until it is pressed again, or the control is moved by hand.
function sweep(name, move) {
  let timer = null;
  const play = element("button", { type: "button", class: "play", "aria-pressed": "false", "aria-label": `sweep ${name}` }, "▶");
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "▶";
    play.setAttribute("aria-pressed", "false");
  };
  const go = () => (play.isConnected ? move() : stop()); // else the cell was run again or cleared
  play.addEventListener("click", () => {
    if (timer !== null) return stop();
    timer = setInterval(go, PLAY_EVERY);
    play.textContent = "❚❚";
    play.setAttribute("aria-pressed", "true");
  });
  return { play, stop };
}

// One row: name, slider with the prior's support marked, its value, and a button that sweeps it.
function slider({ name, meaning, low, high, step, support, value, onChange }) {
  const share = (x) => (100 * (x - low)) / (high - low);
  const describe = (x) => {
    if (!support) return x.toFixed(2);
    return `${signed(x)}${Math.abs(x) > support ? ", outside the prior" : ""}`;
  };
  const input = element("input", { type: "range", min: low, max: high, step, "aria-label": labelled({ name, meaning }) });
  const shown = element("span", { class: "value", "aria-hidden": "true" });
  const track = element("span", { class: "track" });
  if (support) {
    const band = element("span", { class: "support", title: "the support of the prior" });
    band.style.left = `${share(-support)}%`;
    band.style.right = `${100 - share(support)}%`;
    track.append(band);
    for (const mark of [low, -support, 0, support, high]) {
      const tick = element("span", { class: "tick", "aria-hidden": "true" }, String(mark).replace("-", "−"));
      tick.style.left = `${share(mark)}%`;
      track.append(tick);
    }
  }
  track.append(input);
  const show = (x, pace = step) => {
    step = input.step = pace;
    input.value = x;
    input.setAttribute("aria-valuetext", describe(x));
    shown.textContent = support ? signed(x) : x.toFixed(2);
    shown.classList.toggle("outside", Boolean(support) && Math.abs(x) > support + 1e-9);
  };
  let direction = 1;
  const { play, stop } = sweep(name, () => {
    let next = Number(input.value) + direction * step;
    if (next > high + 1e-9 || next < low - 1e-9) {
      direction = -direction;
      next = Number(input.value) + direction * step;
    }
    show(Number(next.toFixed(4)));
    onChange(Number(input.value));
  });
  input.addEventListener("input", () => {
    stop();
    show(Number(input.value));
    onChange(Number(input.value));
  });
  show(value);
  return { row: element("div", { class: "slider" }, codeName({ name, meaning }), track, shown, play), show, stop };
}

function drawn(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// One row: name, dial, its angle, and a button that sends it round. Its end is its beginning: it stops nowhere.
function dial({ name, meaning, steps, value, onChange }) {
  const hand = drawn("line", { class: "hand", x1: 0, y1: 0 });
  const ticks = [0, 1, 2, 3].map((k) => drawn("line", { class: "mark", x1: 0.8, x2: 1, y1: 0, y2: 0, transform: `rotate(${90 * k})` }));
  const face = drawn("svg", { class: "dial", viewBox: "-1.1 -1.1 2.2 2.2", role: "slider", tabindex: 0, "aria-label": labelled({ name, meaning }), "aria-valuemin": -180, "aria-valuemax": 180 }, drawn("circle", { class: "rim", r: 1 }), ...ticks, hand);
  face.dataset.lmSuppressShortcuts = "true"; // else JupyterLab takes the arrow keys
  const shown = element("span", { class: "value", "aria-hidden": "true" });
  let place = 0; // in steps; half a turn is +steps / 2, and never −steps / 2
  const show = (angle) => {
    place = Math.round((steps * angle) / TURN);
    hand.setAttribute("x2", 0.9 * Math.cos(angle));
    hand.setAttribute("y2", -0.9 * Math.sin(angle));
    face.setAttribute("aria-valuenow", Math.round((360 * angle) / TURN));
    face.setAttribute("aria-valuetext", degrees(angle));
    shown.textContent = degrees(angle);
  };
  const moveTo = (next) => {
    const around = next - steps * Math.ceil(next / steps - 0.5);
    const angle = Math.trunc((1e4 * TURN * around) / steps) / 1e4; // towards 0: rounded up, half a turn would pass π
    show(angle);
    onChange(angle);
  };
  const { play, stop } = sweep(name, () => moveTo(place + 1));
  face.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: steps / 12, PageDown: -steps / 12 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    stop();
    moveTo(place + by);
  });
  const point = (event) => {
    const box = face.getBoundingClientRect();
    const [right, up] = [event.clientX - box.left - box.width / 2, box.top + box.height / 2 - event.clientY];
    moveTo(Math.round((steps * Math.atan2(up, right)) / TURN));
  };
  face.addEventListener("pointerdown", (event) => {
    stop();
    face.focus();
    face.setPointerCapture(event.pointerId);
    point(event);
  });
  face.addEventListener("pointermove", (event) => { if (face.hasPointerCapture(event.pointerId)) point(event); });
  show(value);
  return { row: element("div", { class: "slider" }, codeName({ name, meaning }), face, shown, play), show, stop };
}
