// The explorer's page: controls in, pictures out. With a kernel the pictures come from Python (the trait `view`); in an
// exported page they come from one sheet of frames. No library and no network in either.

const PLAY_EVERY = 60; // milliseconds between two steps of a sweep
const PEN = 2.2; // width of the pen, in pixels of the model's picture
const SCALE = 10; // screen pixels per pixel of a large picture

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

// One row: name, slider with the prior's support marked, its value, and a button that sweeps it.
function slider({ name, low, high, step, support, value, onChange }) {
  const share = (x) => (100 * (x - low)) / (high - low);
  const describe = (x) => {
    if (!support) return x.toFixed(2);
    return `${signed(x)}${Math.abs(x) > support ? ", outside the prior" : ""}`;
  };
  const input = element("input", { type: "range", min: low, max: high, step, "aria-label": name });
  const shown = element("output", { class: "value" });
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
  const show = (x) => {
    input.value = x;
    input.setAttribute("aria-valuetext", describe(x));
    shown.textContent = support ? signed(x) : x.toFixed(2);
    shown.classList.toggle("outside", Boolean(support) && Math.abs(x) > support + 1e-9);
  };
  let timer = null;
  let direction = 1;
  const play = element("button", { type: "button", class: "play", "aria-pressed": "false", "aria-label": `sweep ${name}` }, "▶");
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "▶";
    play.setAttribute("aria-pressed", "false");
  };
  const move = () => {
    if (!play.isConnected) return stop(); // the cell was run again or cleared
    let next = Number(input.value) + direction * step;
    if (next > high + 1e-9 || next < low - 1e-9) {
      direction = -direction;
      next = Number(input.value) + direction * step;
    }
    show(Number(next.toFixed(4)));
    onChange(Number(input.value));
  };
  play.addEventListener("click", () => {
    if (timer !== null) return stop();
    timer = setInterval(move, PLAY_EVERY);
    play.textContent = "❚❚";
    play.setAttribute("aria-pressed", "true");
  });
  input.addEventListener("input", () => {
    stop();
    show(Number(input.value));
    onChange(Number(input.value));
  });
  show(value);
  return { row: element("div", { class: "slider" }, element("span", { class: "name", "aria-hidden": "true" }, name), track, shown, play), show, stop };
}

// One model: the large picture, a thumbnail per class of the first categorical code, and what Q reads back.
function modelColumn(layout, title, onChoose) {
  const { height, width, classes, names, continuous, limit, support } = layout;
  const large = element("canvas", { width: width * SCALE, height: height * SCALE, class: "large", role: "img" });
  const thumbnails = element("div", { class: "thumbnails", role: "radiogroup", "aria-label": `${names[0]}${title ? ` of ${title}` : ""}` });
  const buttons = Array.from({ length: classes }, (_, k) => {
    const canvas = element("canvas", { width, height, "aria-hidden": "true" });
    const button = element("button", { type: "button", role: "radio", "aria-label": `${names[0]} = ${k}`, onclick: () => onChoose(k) }, canvas, element("span", {}, String(k)));
    button.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      const next = (k + step + classes) % classes;
      onChoose(next);
      buttons[next].focus();
    });
    return button;
  });
  thumbnails.append(...buttons);

  const bars = Array.from({ length: classes }, (_, k) => {
    const fill = element("span", { class: "fill" });
    return { fill, row: element("div", { class: "bar" }, element("span", { class: "name" }, String(k)), element("span", { class: "well" }, fill)) };
  });
  const share = (x) => 100 * Math.min(1, Math.max(0, (x + limit) / (2 * limit)));
  const axes = names.slice(names.length - continuous).map((name) => {
    const spread = element("span", { class: "spread" });
    const mean = element("span", { class: "mean" });
    const truth = element("span", { class: "truth", title: "what went in" });
    const inside = element("span", { class: "support" });
    inside.style.left = `${share(-(support ?? 0))}%`;
    inside.style.right = `${100 - share(support ?? 0)}%`;
    const text = element("span", { class: "text" });
    const row = element("div", { class: "axis" }, element("span", { class: "name" }, name), element("span", { class: "well" }, inside, spread, mean, truth), text);
    return { spread, mean, truth, text, row };
  });
  const reads = element("div", { class: "reads", role: "group", "aria-label": `what Q reads${title ? `, ${title}` : ""}` }, element("div", { class: "heading" }, "Q reads"));
  if (classes) reads.append(element("div", { class: "bars" }, ...bars.map((bar) => bar.row)));
  reads.append(...axes.map((axis) => axis.row));
  const summary = element("div", { class: "summary", "aria-live": "polite" });
  reads.append(summary);
  const pictures = element("div", { class: "pictures" }, element("div", { class: "heading" }, title || "G draws"), large);
  const column = element("div", { class: "model" }, element("div", { class: "side" }, pictures, reads));
  if (classes) column.append(thumbnails);

  const paint = (codes, frame, reading) => {
    const chosen = classes ? codes.categorical[0] : 0;
    const draw = (canvas, k) => {
      const { image, x, y } = frame(k);
      const context = canvas.getContext("2d");
      context.imageSmoothingEnabled = false;
      context.drawImage(image, x, y, width, height, 0, 0, canvas.width, canvas.height);
    };
    draw(large, chosen);
    const named = names.map((name, i) => `${name} = ${i < codes.categorical.length ? codes.categorical[i] : signed(codes.continuous[i - codes.categorical.length])}`);
    large.setAttribute("aria-label", `The picture${title ? ` of ${title}` : ""} drawn from ${named.join(", ")}`);
    buttons.forEach((button, k) => {
      draw(button.firstChild, k);
      button.setAttribute("aria-checked", String(k === chosen));
      button.tabIndex = k === chosen ? 0 : -1;
    });
    bars.forEach((bar, k) => {
      const probability = reading.categorical[0][k];
      bar.fill.style.width = `${100 * probability}%`;
      bar.row.classList.toggle("chosen", k === chosen);
      bar.row.setAttribute("aria-label", `${names[0]} = ${k}: ${Math.round(100 * probability)}%`);
    });
    axes.forEach((axis, i) => {
      const [mean, deviation, truth] = [reading.mean[i], reading.deviation[i], codes.continuous[i]];
      axis.spread.style.left = `${share(mean - deviation)}%`;
      axis.spread.style.right = `${100 - share(mean + deviation)}%`;
      axis.mean.style.left = `${share(mean)}%`;
      axis.truth.style.left = `${share(truth)}%`;
      axis.text.textContent = `${signed(mean)} ± ${deviation.toFixed(2)}`;
      axis.row.classList.toggle("missed", Math.abs(mean - truth) > 2 * deviation);
      axis.row.setAttribute("aria-label", `${names[names.length - continuous + i]}: went in ${signed(truth)}, Q reads ${axis.text.textContent}`);
    });
    const missed = axes.map((axis, i) => (axis.row.classList.contains("missed") ? names[names.length - continuous + i] : null)).filter(Boolean);
    const best = classes ? reading.categorical[0].indexOf(Math.max(...reading.categorical[0])) : chosen;
    if (classes && best !== chosen) missed.unshift(names[0]);
    summary.textContent = missed.length ? `not recovered: ${missed.join(", ")}` : "all codes recovered";
    summary.classList.toggle("missed", missed.length > 0);
  };
  return { column, paint };
}

// A canvas to draw on, in the model's pixels; calls back with its bytes, 0 paper to 255 ink.
function drawingPad({ height, width, canvas: scale }, onDraw) {
  const canvas = element("canvas", { width: width * SCALE, height: height * SCALE, class: "large pad", role: "img", "aria-label": "a canvas to draw a digit on with the mouse, a pen or a finger" });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const small = element("canvas", { width: width * scale, height: height * scale });
  const clear = () => {
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
  };
  const send = () => {
    const shrunk = small.getContext("2d", { willReadFrequently: true });
    shrunk.imageSmoothingQuality = "high";
    shrunk.drawImage(canvas, 0, 0, small.width, small.height);
    const rgba = shrunk.getImageData(0, 0, small.width, small.height).data;
    onDraw(Uint8Array.from({ length: small.width * small.height }, (_, i) => 255 - rgba[4 * i]));
  };
  let last = null;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (last === null) return;
    const here = place(event);
    Object.assign(context, { lineWidth: PEN * SCALE, lineCap: "round", strokeStyle: "black" });
    context.beginPath();
    context.moveTo(...last);
    context.lineTo(...here);
    context.stroke();
    last = here;
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      if (last !== null) send();
      last = null;
    });
  }
  clear();
  const button = element("button", { type: "button", onclick: () => { clear(); send(); } }, "clear");
  const words = element("div", { class: "words", "aria-live": "polite" });
  const seen = element("canvas", { width, height, class: "seen", role: "img", "aria-label": "your drawing, centred and scaled as MNIST's digits are" });
  const others = element("canvas", { class: "others", role: "img", "aria-label": "the same codes with other noise" });
  const lost = element("div", { class: "lost" }, element("div", { class: "heading" }, "what Q sees · the same codes, other noise"), element("div", {}, seen, " ", others));
  lost.hidden = true;
  const pad = element("div", { class: "model" }, element("div", { class: "pictures" }, element("div", { class: "heading" }, "You draw"), canvas, button, words, lost));
  const paint = ({ text }, [prepared, drawn]) => {
    words.textContent = text;
    lost.hidden = !prepared;
    if (!prepared) return;
    seen.getContext("2d").drawImage(prepared, 0, 0);
    Object.assign(others, { width: drawn.width, height: drawn.height });
    others.getContext("2d").drawImage(drawn, 0, 0);
  };
  return { pad, paint };
}

function build(model, el) {
  const layout = model.get("page");
  const { classes, categorical, continuous, names, limit, support, step, titles, canvas, live } = layout;
  const change = (values) => {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes(); // while the kernel is busy only the latest state waits
  };
  const choose = (i, k) => change({ categorical: model.get("categorical").map((old, j) => (j === i ? k : old)) });

  const columns = titles.map((title) => modelColumn(layout, title, (k) => choose(0, k)));
  const pad = canvas ? drawingPad(layout, (bytes) => change({ drawing: new DataView(bytes.buffer) })) : null;

  const rows = [];
  const selects = categorical.slice(1).map((size, i) => {
    const options = Array.from({ length: size }, (_, k) => element("option", { value: k }, String(k)));
    const select = element("select", { "aria-label": names[i + 1], onchange: () => choose(i + 1, Number(select.value)) }, ...options);
    rows.push(element("div", { class: "slider" }, element("span", { class: "name", "aria-hidden": "true" }, names[i + 1]), select));
    return select;
  });
  const sliders = Array.from({ length: continuous }, (_, i) => {
    const onChange = (x) => change({ continuous: model.get("continuous").map((old, j) => (j === i ? x : old)) });
    return slider({ name: names[categorical.length + i], low: -limit, high: limit, step, support, value: model.get("continuous")[i], onChange });
  });
  rows.push(...sliders.map((s) => s.row));
  const between = slider({ name: "noise", low: 0, high: 1, step: 0.05, value: model.get("between"), onChange: (x) => change({ between: x }) });
  const seeds = () => model.get("seeds");
  const fresh = () => change({ seeds: [Math.max(...seeds()) + 1, Math.max(...seeds()) + 2], between: 0 });
  const start = { categorical: model.get("categorical"), continuous: model.get("continuous"), seeds: seeds(), between: model.get("between") };
  const buttons = element("div", { class: "buttons" });
  if (live) {
    rows.push(between.row);
    buttons.append(element("button", { type: "button", onclick: fresh }, "new noise"));
  }
  const halt = () => [...sliders, between].forEach((s) => s.stop());
  buttons.append(element("button", { type: "button", onclick: () => { halt(); change(start); } }, "reset"));
  const line = element("code", { class: "line", tabindex: "0", "aria-label": "the line of code that draws this picture" });
  const note = [];
  if (continuous && support) note.push(`Shaded: the codes that training drew, from −${support} to ${support}; beyond, G and Q are guessing.`);
  if (continuous) note.push("Filled mark and band: what Q reads, ± one standard deviation; hollow mark: what went in.");

  el.replaceChildren(
    element("div", { class: "infogan-explorer" },
      element("div", { class: "models" }, ...(pad ? [pad.pad] : []), ...columns.map((c) => c.column)),
      element("div", { class: "controls" }, ...rows, buttons),
      line,
      element("div", { class: "note" }, note.join(" ")),
    ),
  );

  const follow = () => {
    selects.forEach((select, i) => { select.value = model.get("categorical")[i + 1]; });
    sliders.forEach((s, i) => s.show(model.get("continuous")[i]));
    between.show(model.get("between"));
  };
  let latest = 0;
  const decode = (bytes) => (bytes ? createImageBitmap(new Blob([bytes], { type: "image/png" })) : null);
  const draw = async () => {
    const turn = ++latest;
    const view = model.get("view");
    const sprites = await Promise.all(view.sprites.map((sprite) => (sprite.frame ? sprite : decode(sprite))));
    const extra = pad ? await Promise.all([decode(view.drawing.seen), decode(view.drawing.others)]) : [];
    if (turn !== latest) return; // a newer view came while this one was decoded
    columns.forEach((column, m) => {
      const frame = sprites[m].frame ?? ((k) => ({ image: sprites[m], x: k * layout.width, y: 0 }));
      column.paint(view.codes, frame, view.readings[m]);
    });
    if (pad) pad.paint(view.drawing, extra);
    line.textContent = view.line;
    el.firstChild.dataset.drawn = String(turn); // for tests: pictures are on the page
  };
  const traits = ["categorical", "continuous", "seeds", "between"];
  traits.forEach((name) => model.on(`change:${name}`, follow));
  model.on("change:view", draw);
  follow();
  draw();
  return () => {
    halt();
    traits.forEach((name) => model.off(`change:${name}`, follow));
    model.off("change:view", draw);
  };
}

// The model of an exported page: the same interface, with frames and readings looked up instead of computed.
async function sheetModel(data) {
  const image = new Image();
  image.src = `data:image/png;base64,${data.sheet}`;
  await image.decode();
  const readings = Uint8Array.from(atob(data.readings), (c) => c.charCodeAt(0));
  const { page: layout, values } = data;
  const [classes, n] = [Math.max(1, layout.classes), values.length];
  const rows = layout.continuous > 1 ? n : 1;
  const columns = layout.continuous > 0 ? n : 1;
  const stride = layout.classes + 2 * layout.continuous;
  const nearest = (x) => values.reduce((best, value, i) => (Math.abs(value - x) < Math.abs(values[best] - x) ? i : best), 0);
  const state = { page: layout, categorical: data.categorical, continuous: data.continuous, seeds: data.seeds, between: 0 };
  const listeners = {};
  const look = () => {
    const i = layout.continuous > 0 ? nearest(state.continuous[0]) : 0;
    const j = layout.continuous > 1 ? nearest(state.continuous[1]) : 0;
    const chosen = layout.classes ? state.categorical[0] : 0;
    const at = ((chosen * columns + i) * rows + j) * stride;
    const read = (offset) => readings[at + offset] / 255;
    const { mean, deviation } = data.scales;
    const axes = Array.from({ length: layout.continuous }, (_, a) => layout.classes + 2 * a);
    const reading = {
      categorical: [Array.from({ length: layout.classes }, (_, k) => read(k))],
      mean: axes.map((a) => (2 * read(a) - 1) * mean),
      deviation: axes.map((a) => read(a + 1) * deviation),
    };
    const frame = (k) => ({ image, x: (k * columns + i) * layout.width, y: j * layout.height });
    const float = (x) => (Number.isInteger(x) ? x.toFixed(1) : String(x));
    const fill = {
      categorical: `[${[...state.categorical, ...data.rest.categorical].join(", ")}]`,
      continuous: `[${[...state.continuous, ...data.rest.continuous].map(float).join(", ")}]`,
      seeds: `(${data.seeds.join(", ")})`,
      between: "0.0",
    };
    const line = data.line.replace(/\{(\w+)\}/g, (_, name) => fill[name]);
    state.view = { sprites: [{ frame }], readings: [reading], codes: { categorical: state.categorical, continuous: state.continuous }, line };
  };
  look();
  return {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; },
    save_changes: () => {
      look();
      for (const heard of ["categorical", "continuous", "view"]) (listeners[`change:${heard}`] ?? []).forEach((f) => f());
    },
    on: (event, f) => { (listeners[event] ??= []).push(f); },
    off: (event, f) => { listeners[event] = (listeners[event] ?? []).filter((g) => g !== f); },
  };
}

function render({ model, el }) {
  return build(model, el);
}

export default { render };
