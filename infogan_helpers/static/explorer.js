// The explorer's page: controls in, pictures out. With a kernel the pictures come from Python (the trait `view`); in an
// exported page they come from one sheet of frames. No library and no network in either. One script is made of
// controls.js, reading.js, files.js, drawing.js, this file and sheet.js, in this order.

const PATIENCE = 1700; // milliseconds without an answer, after which the page says so
const PAUSE = 700; // milliseconds of rest, after which a screen reader is told
const WALK_STEP = 0.1; // of the way to the next noise vector

const GONE = "No answer: the kernel is busy or gone. Where it is busy, this goes when it answers; where it was restarted, run this cell again.";

// Buttons of which one is chosen, by mouse or arrow keys: `options` are their names and what is on them.
function choices(label, options, onChoose) {
  const buttons = options.map(([name, ...parts], k) => element("button", { type: "button", role: "radio", "aria-label": name, onclick: () => onChoose(k) }, ...parts));
  buttons.forEach((button, k) => button.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = (k + step + buttons.length) % buttons.length;
    onChoose(next);
    buttons[next].focus();
  }));
  const show = (chosen) => buttons.forEach((button, k) => {
    button.setAttribute("aria-checked", String(k === chosen));
    button.tabIndex = k === chosen ? 0 : -1;
  });
  return { row: element("div", { class: "thumbnails", role: "radiogroup", "aria-label": label }, ...buttons), buttons, show };
}

// One model: the large picture, a thumbnail per class of the first categorical code, and what Q reads back.
function modelColumn(layout, title, heading, onChoose) {
  const { height, width, classes, names, digits } = layout;
  const large = element("canvas", { width: width * SCALE, height: height * SCALE, class: "large", role: "img" });
  const labels = Array.from({ length: classes }, (_, k) => element("span", { class: "digit" }, digits[k] >= 0 ? article(digits[k]) : ""));
  const options = labels.map((label, k) => [spelledClass(layout, k), element("canvas", { width, height, "aria-hidden": "true" }), element("span", {}, String(k)), " ", label]);
  const thumbnails = choices(`${names[0]}${title ? ` of ${title}` : ""}`, options, onChoose);
  const reads = readsPanel(layout, title, heading);
  const pictures = element("div", { class: "pictures" }, element("div", { class: "heading" }, title || "G draws"), large);
  const column = element("div", { class: "model" }, element("div", { class: "side" }, pictures, reads.panel));
  if (classes) column.append(thumbnails.row);

  const paint = (codes, frame) => {
    const chosen = classes ? codes.categorical[0] : 0;
    const draw = (canvas, k) => {
      const { image, x, y } = frame(k);
      const context = canvas.getContext("2d");
      context.imageSmoothingEnabled = false;
      context.drawImage(image, x, y, width, height, 0, 0, canvas.width, canvas.height);
    };
    draw(large, chosen);
    const spelled = [...codes.categorical, ...codes.continuous.map(signed), ...codes.circular.map(degrees)];
    const named = names.map((name, i) => (i === 0 && classes ? spelledClass(layout, chosen) : `${name} = ${spelled[i]}`));
    large.setAttribute("aria-label", `The picture${title ? ` of ${title}` : ""} drawn from ${named.join(", ")}`);
    thumbnails.buttons.forEach((button, k) => draw(button.firstChild, k));
    thumbnails.show(chosen);
  };
  return { column, large, paint, read: reads.paint };
}

// The sliders, dials and lists of the codes, a row each; `follow` moves them to what the model holds.
function codeControls(layout, model, change) {
  const { categorical, continuous, circular, names, limit, support, step, turn_steps: steps } = layout;
  const changing = (trait, i) => (x) => change({ [trait]: model.get(trait).map((old, j) => (j === i ? x : old)) });
  const facts = (i) => ({ name: names[i], meaning: layout.meanings[i] });
  const lists = categorical.slice(1).map((size, i) => {
    const options = Array.from({ length: size }, (_, k) => element("option", { value: k }, String(k)));
    const onChange = changing("categorical", i + 1);
    const select = element("select", { "aria-label": spelledName(layout, i + 1), onchange: () => onChange(Number(select.value)) }, ...options);
    return { row: element("div", { class: "slider" }, codeName(facts(i + 1)), select), show: (k) => { select.value = k; }, stop: () => {} };
  });
  const sliders = Array.from({ length: continuous }, (_, i) =>
    slider({ ...facts(categorical.length + i), low: -limit, high: limit, step, support, value: model.get("continuous")[i], onChange: changing("continuous", i) }));
  const dials = Array.from({ length: circular }, (_, i) =>
    dial({ ...facts(categorical.length + continuous + i), steps, value: model.get("circular")[i], onChange: changing("circular", i) }));
  const follow = () => {
    lists.forEach((list, i) => list.show(model.get("categorical")[i + 1]));
    sliders.forEach((s, i) => s.show(model.get("continuous")[i], model.get("step") ?? step));
    dials.forEach((d, i) => d.show(model.get("circular")[i]));
  };
  const all = [...lists, ...sliders, ...dials];
  return { rows: all.map((control) => control.row), follow, stop: () => all.forEach((control) => control.stop()) };
}

// Which picture an exported page shows: one that G made up, or a real one, found again.
function exampleChoice({ examples, height, width }, model, change) {
  const options = ["G's own", ...examples].map((name, k) => {
    const canvas = element("canvas", { width, height, "aria-hidden": "true" });
    model.thumbnail(k).then((image) => canvas.getContext("2d").drawImage(image, 0, 0, width, height, 0, 0, width, height));
    return [name, canvas, element("span", {}, name.split(" · ")[0])];
  });
  const choice = choices("which picture is edited", options, (k) => change({ example: k }));
  return { row: element("div", { class: "examples" }, element("div", { class: "heading" }, "Edit one of G's own, or a real picture"), choice.row), show: choice.show };
}

// "new noise" walks on to the second vector, from wherever the interpolation stands; there that one becomes the first.
function noiseWalk(model, change, here) {
  let timer = null;
  const stop = () => clearInterval(timer);
  const arrive = () => {
    stop();
    const [first, second] = model.get("seeds");
    change({ seeds: [second, Math.max(first, second) + 1], between: 0 });
  };
  const step = () => {
    if (!here.isConnected) return stop();
    const next = Math.min(1, Number((model.get("between") + WALK_STEP).toFixed(4)));
    change({ between: next });
    if (next === 1) arrive();
  };
  const go = () => {
    stop();
    if (model.get("between") === 1) arrive();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) arrive();
    else timer = setInterval(step, PLAY_EVERY);
  };
  return { go, stop };
}

// Shows the notice where the kernel has not answered the latest change in time, until it answers.
function heartbeat(model, notice, tell) {
  let timer = null;
  const wait = () => {
    timer ??= setTimeout(() => {
      notice.hidden = false;
      tell(GONE);
    }, PATIENCE);
  };
  const hear = () => {
    clearTimeout(timer);
    timer = null;
    notice.hidden = true;
    if (model.get("answered") < model.get("asked")) wait();
  };
  return { wait, hear };
}

// The one live region of the page: told what to say once nothing has changed for a while.
function announcer() {
  const region = element("div", { class: "unseen", role: "status" });
  let timer = null;
  const tell = (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => { if (region.textContent !== text) region.textContent = text; }, PAUSE);
  };
  return { region, tell };
}

function notes({ continuous, circular, support, canvas, categorical, keeps, examples = [] }) {
  const note = [];
  if (continuous && support) note.push(`Shaded: the codes that training drew, from −${support} to ${support}; beyond, G and Q are guessing.`);
  if (circular) note.push("A dial counts counter-clockwise from the right; its axis on the right goes on at the other end.");
  if (continuous || circular) note.push(`Filled mark and band: what Q reads, ± one standard deviation${canvas ? "" : "; hollow mark: what went in"}.`);
  if (keeps || examples.length) note.push("Error: root mean square over all pixels, where 1 is the difference of black and white.");
  if (canvas) {
    if (categorical.length) note.push("Percentages are Q's own and not calibrated: it learned on what G draws and shares out 100% among the classes there are, so it can be sure and wrong of a form that G does not draw.");
    return note.join(" ");
  }
  const rules = [];
  if (categorical.length) rules.push("half of H(c) for a class, if none is likelier");
  if (continuous || circular) rules.push("log 2 = 0.7 for a value, twice the prior's density");
  note.push(`Nats read: log Q(c | x) + H(c) on this picture, 0 for a Q that answers with the prior, whose mean over pictures is L_I. Recovered: from ${rules.join(", and ")}.`);
  return note.join(" ");
}

// Decodes a view's pictures and shows it; a view that a newer one overtakes is left out.
function painter({ layout, columns, pad, beside, line, root, tell }) {
  let latest = 0;
  const decode = (bytes) => createImageBitmap(new Blob([bytes], { type: "image/png" }));
  return async (view) => {
    const turn = ++latest;
    const sprites = await Promise.all(view.sprites.map((sprite) => (sprite.frame ? sprite : decode(sprite))));
    const { drawing } = view;
    const pictures = drawing?.seen ? await Promise.all([decode(drawing.seen), decode(drawing.others)]) : null;
    if (turn !== latest) return;
    const said = columns.map((column, m) => {
      column.paint(view.codes, sprites[m].frame ?? ((k) => ({ image: sprites[m], x: k * layout.width, y: 0 })));
      return pad ? "" : column.read(view.readings[m], view.codes);
    });
    beside?.paint(drawing?.heading, pictures);
    if (pad) {
      pad.say(drawing.text);
      said.push(drawing.text);
      root.classList.toggle("waiting", !drawing.reading);
      if (drawing.reading) columns[0].read(drawing.reading, null);
    } else if (drawing) said.push(`${drawing.heading}.`);
    line.textContent = view.line;
    tell(said.filter(Boolean).join(" "));
    root.dataset.drawn = String(turn); // for tests: pictures are on the page
  };
}

function build(model, el) {
  const layout = model.get("page");
  const { titles, canvas, live, keeps, words, examples = [] } = layout;
  const change = (values) => {
    if (live) values = { ...values, asked: model.get("asked") + 1 };
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes(); // while the kernel is busy only the latest state waits
    if (live) pulse.wait();
  };
  const { region, tell } = announcer();
  const notice = element("div", { class: "gone" }, GONE);
  const pulse = heartbeat(model, notice, tell);
  const choose = (k) => change({ categorical: model.get("categorical").map((old, j) => (j === 0 ? k : old)) });
  const columns = titles.map((title) => modelColumn(layout, title, canvas ? `Q reads, ${words.read}` : "Q reads", choose));
  const pad = canvas ? drawingPad(layout, bytesOf(model.get("drawing")), (bytes) => change({ drawing: new DataView(bytes.buffer) }), tell) : null;
  const beside = words ? besideDrawing(layout) : null;
  if (beside) columns[0].column.append(beside.row);
  const codes = codeControls(layout, model, change);
  const walk = noiseWalk(model, change, el);
  const between = slider({ name: "noise", low: 0, high: 1, step: 0.05, value: model.get("between"), onChange: (x) => { walk.stop(); change({ between: x }); } });
  const traits = ["categorical", "continuous", "circular", "seeds", "between"];
  const start = Object.fromEntries(traits.map((name) => [name, model.get(name)]));
  const halt = () => [codes, between, walk].forEach((moving) => moving.stop());
  const reset = () => {
    halt();
    pad?.wipe();
    change(canvas ? { ...start, drawing: new DataView(new ArrayBuffer(0)) } : model.get("start") ?? start);
  };
  const fresh = live && !keeps ? [element("button", { type: "button", onclick: walk.go }, "new noise")] : [];
  const buttons = element("div", { class: "buttons" }, ...fresh, element("button", { type: "button", onclick: reset }, "reset"), ...savers(layout, columns.map((c) => c.large), tell));
  const choice = examples.length ? exampleChoice(layout, model, (values) => { halt(); change(values); }) : null;
  const line = element("code", {});
  const lines = live ? [element("div", { class: "line", role: "group", tabindex: "0", "aria-label": "the line of code that draws this picture" }, line)] : [];
  const root = element("div", { class: "infogan-explorer" }, element("div", { class: "inside" },
    ...(choice ? [choice.row] : []),
    element("div", { class: "models" }, ...(pad ? [pad.pad] : []), ...columns.map((c) => c.column)),
    notice,
    element("div", { class: "controls" }, ...codes.rows, ...(live && !keeps ? [between.row] : []), buttons),
    ...lines,
    element("div", { class: "note" }, notes(layout)),
    region,
  ));
  el.replaceChildren(root);
  const paint = painter({ layout, columns, pad, beside, line, root, tell });
  const follow = () => { codes.follow(); between.show(model.get("between")); choice?.show(model.get("example")); };
  const draw = () => paint(model.get("view"));
  const heard = [...traits.map((name) => [name, follow]), ["view", draw], ["answered", pulse.hear]];
  heard.forEach(([name, listener]) => model.on(`change:${name}`, listener));
  follow();
  draw();
  pulse.hear();
  return () => {
    halt();
    heard.forEach(([name, listener]) => model.off(`change:${name}`, listener));
  };
}

function render({ model, el }) {
  return build(model, el);
}

export default { render };
