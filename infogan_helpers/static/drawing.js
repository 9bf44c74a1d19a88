// A canvas for the reader's picture, in the model's pixels, and the tools beside it. What is on it is a list of marks:
// strokes, pictures, blanks; undoing takes the last one away.

const PEN = 2.2; // width of the pen, in pixels of the model's picture
const SCALE = 10; // canvas pixels per pixel of a large picture

function stroke(context, { pen, points }) {
  Object.assign(context, { lineWidth: pen * SCALE, lineCap: "round", lineJoin: "round", strokeStyle: "black" });
  context.beginPath();
  context.moveTo(...points[0]);
  for (const point of points.length > 1 ? points.slice(1) : points) context.lineTo(...point);
  context.stroke();
}

// The reader's picture: `add(mark)` draws one, `undo`, `clear` and `wipe` take marks away; each change calls `onDraw` with
// the bytes, 0 paper to 255 ink.
function marksOn(canvas, shrunk, onDraw) {
  const [context, small] = [canvas, shrunk].map((c) => c.getContext("2d", { willReadFrequently: true }));
  let marks = [];
  const paint = () => {
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
    for (const mark of marks) {
      if (mark.points) stroke(context, mark);
      else if (mark.image) context.drawImage(mark.image, 0, 0, canvas.width, canvas.height);
      else context.fillRect(0, 0, canvas.width, canvas.height);
    }
  };
  const send = () => {
    small.imageSmoothingQuality = "high";
    small.drawImage(canvas, 0, 0, shrunk.width, shrunk.height);
    const rgba = small.getImageData(0, 0, shrunk.width, shrunk.height).data;
    onDraw(Uint8Array.from({ length: shrunk.width * shrunk.height }, (_, i) => 255 - rgba[4 * i]));
  };
  const change = (next) => {
    marks = next;
    paint();
    send();
  };
  paint();
  return {
    any: () => marks.length > 0,
    show: (mark) => { marks = [mark]; paint(); }, // what Q has read already
    begin: (mark) => { marks.push(mark); paint(); }, // it goes on growing
    grow: paint,
    end: send,
    add: (mark) => change([...marks, mark]),
    undo: () => change(marks.slice(0, -1)),
    wipe: () => { marks = []; paint(); },
  };
}

// Strokes of a mouse, a pen or a finger.
function letDraw(canvas, marks, pen) {
  let mark = null;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    mark = { pen: pen(), points: [place(event)] };
    marks.begin(mark);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (mark === null) return;
    mark.points.push(place(event));
    marks.grow();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      if (mark !== null) marks.end();
      mark = null;
    });
  }
}

const bytesOf = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

// The bytes of a drawing as something that can be drawn.
function imageOf(ink, width, height) {
  const canvas = element("canvas", { width, height });
  const rgba = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) rgba.fill(255 - ink[i], 4 * i, 4 * i + 3);
  canvas.getContext("2d").putImageData(new ImageData(rgba, width, height), 0, 0);
  return canvas;
}

// The pad: canvas, tools, what is said of the picture. `given` are the bytes that are on it already, where there are any.
function drawingPad({ height, width, canvas: scale, real, takes, words: named }, given, onDraw, tell) {
  const canvas = element("canvas", { width: width * SCALE, height: height * SCALE, class: "large pad", role: "img", "aria-label": named.canvas });
  const small = element("canvas", { width: width * scale, height: height * scale });
  const button = (onclick, name) => element("button", { type: "button", onclick }, name);
  const undo = button(() => marks.undo(), "undo");
  const marks = marksOn(canvas, small, (bytes) => {
    undo.disabled = !marks.any();
    onDraw(bytes);
  });
  const pen = element("input", { type: "range", min: 1, max: 5, step: 0.2, value: PEN, "aria-label": "pen width" });
  letDraw(canvas, marks, () => Number(pen.value));
  const pictures = createImageBitmap(new Blob([real.png], { type: "image/png" }));
  const give = async () => {
    const k = Math.floor(Math.random() * real.count);
    marks.add({ image: await createImageBitmap(await pictures, k * real.width, 0, real.width, real.height) });
  };
  if (given.some((ink) => ink > 0)) marks.show({ image: imageOf(given, small.width, small.height) });
  undo.disabled = !marks.any();
  const words = element("div", { class: "words" });
  const say = (text, refused = false) => {
    words.textContent = text;
    words.classList.toggle("refused", refused);
  };
  const opener = fileOpener(takes, canvas, (image) => marks.add({ image }), (reason) => { say(reason, true); tell(reason); });
  const tools = element("div", { class: "tools" }, element("label", {}, "pen ", pen), undo, button(() => marks.add({}), "clear"), button(give, named.give), ...opener.parts);
  const pad = element("div", { class: "model" }, element("div", { class: "heading" }, named.heading), canvas, tools, words);
  const wipe = () => {
    opener.forget();
    marks.wipe();
    undo.disabled = true;
  };
  return { pad, wipe, say };
}

// A real picture as Q is shown it, and beside it what G makes of it; hidden where there is none.
function besideDrawing({ height, width, words }) {
  const heading = element("div", { class: "heading" });
  const seen = element("canvas", { width, height, class: "seen", role: "img", "aria-label": words.seen });
  const others = element("canvas", { class: "others", role: "img", "aria-label": words.others });
  const row = element("div", { class: "lost", hidden: "" }, heading, element("div", {}, seen, " ", others));
  const paint = (text, pictures) => {
    row.hidden = !pictures;
    heading.textContent = text;
    if (!pictures) return;
    seen.getContext("2d").drawImage(pictures[0], 0, 0);
    Object.assign(others, { width: pictures[1].width, height: pictures[1].height });
    others.getContext("2d").drawImage(pictures[1], 0, 0);
  };
  return { row, paint };
}
