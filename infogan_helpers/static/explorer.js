// The explorer's page: controls in, pictures out. With a kernel the pictures come from Python (the trait `view`); in an
// exported page they come from one sheet of frames. No library and no network in either. Its controls are controls.js,
// which stands before this file in one script.

const PEN = 2.2; // width of the pen, in pixels of the model's picture
const SCALE = 10; // screen pixels per pixel of a large picture

// What Q reads of one code, on an axis from −half to half. An angle's band that leaves one end comes in at the other.
function axisReading({ name, half, support, circular }) {
  const share = (x) => 100 * Math.min(1, Math.max(0, (x + half) / (2 * half)));
  const spell = circular ? degrees : signed;
  const bands = (circular ? [-TURN, 0, TURN] : [0]).map((shift) => ({ shift, band: element("span", { class: "spread" }) }));
  const mark = element("span", { class: "mean" });
  const truth = element("span", { class: "truth", title: "what went in" });
  const inside = element("span", { class: "support" });
  inside.style.left = `${share(-support)}%`;
  inside.style.right = `${100 - share(support)}%`;
  const text = element("span", { class: "text" });
  const row = element("div", { class: "axis" }, element("span", { class: "name" }, name), element("span", { class: "well" }, inside, ...bands.map((b) => b.band), mark, truth), text);
  const paint = (mean, deviation, sent) => {
    for (const { shift, band } of bands) {
      const [low, high] = [mean - deviation + shift, mean + deviation + shift];
      band.hidden = circular && (low > half || high < -half);
      band.style.left = `${share(low)}%`;
      band.style.right = `${100 - share(high)}%`;
    }
    mark.style.left = `${share(mean)}%`;
    truth.style.left = `${share(sent)}%`;
    text.textContent = `${spell(mean)} ± ${circular ? degrees(deviation) : deviation.toFixed(2)}`;
    const apart = circular ? Math.acos(Math.cos(mean - sent)) : Math.abs(mean - sent);
    row.classList.toggle("missed", apart > 2 * deviation);
    row.setAttribute("aria-label", `${name}: went in ${spell(sent)}, Q reads ${text.textContent}`);
  };
  return { name, row, paint };
}

// One model: the large picture, a thumbnail per class of the first categorical code, and what Q reads back.
function modelColumn(layout, title, onChoose) {
  const { height, width, classes, names, continuous, circular, limit, support } = layout;
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
  const axes = names.slice(names.length - continuous - circular).map((name, i) =>
    i < continuous ? axisReading({ name, half: limit, support: support ?? 0, circular: false }) : axisReading({ name, half: TURN / 2, support: 0, circular: true }));
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
    const spelled = [...codes.categorical, ...codes.continuous.map(signed), ...codes.circular.map(degrees)];
    const named = names.map((name, i) => `${name} = ${spelled[i]}`);
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
    const told = [...reading.mean.map((mean, i) => [mean, reading.deviation[i], codes.continuous[i]]), ...reading.angle.map((angle, i) => [angle, reading.angle_deviation[i], codes.circular[i]])];
    axes.forEach((axis, i) => axis.paint(...told[i]));
    const missed = axes.filter((axis) => axis.row.classList.contains("missed")).map((axis) => axis.name);
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
  const { classes, categorical, continuous, circular, names, limit, support, step, turn_steps: steps, titles, canvas, live } = layout;
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
  const changing = (trait, i) => (x) => change({ [trait]: model.get(trait).map((old, j) => (j === i ? x : old)) });
  const sliders = Array.from({ length: continuous }, (_, i) => {
    const onChange = changing("continuous", i);
    return slider({ name: names[categorical.length + i], low: -limit, high: limit, step, support, value: model.get("continuous")[i], onChange });
  });
  const dials = Array.from({ length: circular }, (_, i) => dial({ name: names[categorical.length + continuous + i], steps, value: model.get("circular")[i], onChange: changing("circular", i) }));
  rows.push(...[...sliders, ...dials].map((s) => s.row));
  const between = slider({ name: "noise", low: 0, high: 1, step: 0.05, value: model.get("between"), onChange: (x) => change({ between: x }) });
  const seeds = () => model.get("seeds");
  const fresh = () => change({ seeds: [Math.max(...seeds()) + 1, Math.max(...seeds()) + 2], between: 0 });
  const start = { categorical: model.get("categorical"), continuous: model.get("continuous"), circular: model.get("circular"), seeds: seeds(), between: model.get("between") };
  const buttons = element("div", { class: "buttons" });
  if (live) {
    rows.push(between.row);
    buttons.append(element("button", { type: "button", onclick: fresh }, "new noise"));
  }
  const halt = () => [...sliders, ...dials, between].forEach((s) => s.stop());
  buttons.append(element("button", { type: "button", onclick: () => { halt(); change(start); } }, "reset"));
  const line = element("code", { class: "line", tabindex: "0", "aria-label": "the line of code that draws this picture" });
  const note = [];
  if (continuous && support) note.push(`Shaded: the codes that training drew, from −${support} to ${support}; beyond, G and Q are guessing.`);
  if (circular) note.push("A dial counts counter-clockwise from the right; its axis on the right goes on at the other end.");
  if (continuous || circular) note.push("Filled mark and band: what Q reads, ± one standard deviation; hollow mark: what went in.");

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
    dials.forEach((d, i) => d.show(model.get("circular")[i]));
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
  const traits = ["categorical", "continuous", "circular", "seeds", "between"];
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
  const { page: layout, axes } = data;
  const { classes, continuous, circular } = layout;
  const [columns, rows] = [0, 1].map((a) => (a < axes.length ? axes[a].length : 1));
  const stride = classes + 2 * axes.length;
  const nearest = (a, x) => {
    const apart = axes[a].map((value) => (a < continuous ? Math.abs(value - x) : -Math.cos(value - x)));
    return apart.indexOf(Math.min(...apart));
  };
  const state = { page: layout, categorical: data.categorical, continuous: data.continuous, circular: data.circular, seeds: data.seeds, between: 0 };
  const listeners = {};
  const look = () => {
    const [i = 0, j = 0] = [...state.continuous, ...state.circular].map((x, a) => nearest(a, x));
    const chosen = classes ? state.categorical[0] : 0;
    const at = ((chosen * columns + i) * rows + j) * stride;
    const read = (offset) => readings[at + offset] / 255;
    const { mean, deviation, angle, angle_deviation } = data.scales;
    const pairs = axes.map((_, a) => [2 * read(classes + 2 * a) - 1, read(classes + 2 * a + 1)]);
    const [values, angles] = [pairs.slice(0, continuous), pairs.slice(continuous)];
    const reading = {
      categorical: [Array.from({ length: classes }, (_, k) => read(k))],
      mean: values.map((pair) => pair[0] * mean),
      deviation: values.map((pair) => pair[1] * deviation),
      angle: angles.map((pair) => pair[0] * angle),
      angle_deviation: angles.map((pair) => pair[1] * angle_deviation),
    };
    const frame = (k) => ({ image, x: (k * columns + i) * layout.width, y: j * layout.height });
    const float = (x) => (Number.isInteger(x) ? x.toFixed(1) : String(x));
    const fill = {
      categorical: `[${[...state.categorical, ...data.rest.categorical].join(", ")}]`,
      continuous: `[${[...state.continuous, ...data.rest.continuous].map(float).join(", ")}]`,
      circular: `[${[...state.circular, ...data.rest.circular].map(float).join(", ")}]`,
      seeds: `(${data.seeds.join(", ")})`,
      between: "0.0",
    };
    const line = data.line.replace(/\{(\w+)\}/g, (_, name) => fill[name]);
    state.view = { sprites: [{ frame }], readings: [reading], codes: { categorical: state.categorical, continuous: state.continuous, circular: state.circular }, line };
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

function render({ model, el }) {
  return build(model, el);
}

export default { render };
