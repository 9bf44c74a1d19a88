// Picture files: one of the reader's, opened onto the pad; and what G draws, saved as a PNG.

const MOST_BYTES = 20e6;
const MOST_PIXELS = 50e6;
const FAINTEST = 24; // of 255 greys: what stands out less from the paper is not ink

// The file as an image that can be drawn. What can't be opened is thrown as a sentence for the reader.
async function imageIn(file) {
  if (file.size > MOST_BYTES) throw `“${file.name}” is too large: it has ${Math.ceil(file.size / 1e6)} MB, at most ${MOST_BYTES / 1e6} can be opened.`;
  const image = new Image();
  try {
    image.src = await new Promise((resolve, reject) => {
      const reader = new FileReader();
      Object.assign(reader, { onload: () => resolve(reader.result), onerror: reject });
      reader.readAsDataURL(file); // a notebook's page may refuse to load other addresses
    });
    await new Promise((resolve, reject) => Object.assign(image, { onload: resolve, onerror: reject })); // the size is known, no pixel decoded
  } catch {
    throw `“${file.name}” can't be opened as a picture. PNG, JPEG, GIF, WebP and BMP can.`;
  }
  const { naturalWidth: width, naturalHeight: height } = image;
  if (width * height === 0 || width * height > MOST_PIXELS) throw `“${file.name}” has ${width} × ${height} pixels, at most ${MOST_PIXELS / 1e6} million can be opened.`;
  return image;
}

// The greys, 0 black to 255 white, of a part of an image, given as drawImage takes it, on white.
function greysOf(image, part, width, height) {
  const context = element("canvas", { width, height }).getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, ...part, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  return Array.from({ length: width * height }, (_, i) => 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]);
}

const sorted = (numbers) => Float64Array.from(numbers).sort();

// What stands out from the paper, 0 to 255, or null where nothing does. The margin shows what paper is: its middle grey,
// and how uneven it is. Ink may be darker or lighter; what is as strong as most of a stroke is full.
function inkIn(greys, width, height) {
  const margin = greys.filter((_, i) => i < width || i >= width * (height - 1) || i % width === 0 || i % width === width - 1);
  const paper = sorted(margin)[margin.length >> 1];
  const uneven = 3 * sorted(margin.map((grey) => Math.abs(grey - paper)))[Math.floor(0.9 * margin.length)];
  const beyond = (sign) => greys.map((grey) => Math.max(0, sign * (paper - grey)));
  const energy = (numbers) => numbers.reduce((sum, x) => sum + x * x, 0);
  const [dark, light] = [beyond(1), beyond(-1)];
  const ink = energy(dark) >= energy(light) ? dark : light;
  const strongest = ink.reduce((a, b) => Math.max(a, b), 0);
  const strokes = sorted(ink.filter((x) => x >= strongest / 2));
  const [least, full] = [Math.min(uneven, strongest / 2), strokes[strokes.length >> 1]];
  return full - least < FAINTEST ? null : ink.map((x) => 255 * Math.min(1, Math.max(0, (x - least) / (full - least))));
}

// How a picture comes onto the pad, as a model takes it: the whole picture, as ink on white; or its middle, in greys.
const TAKES = {
  ink(image, pad) {
    const scale = Math.min(pad.width / image.naturalWidth, pad.height / image.naturalHeight);
    const [width, height] = [image.naturalWidth, image.naturalHeight].map((n) => Math.max(1, Math.round(scale * n)));
    const ink = inkIn(greysOf(image, [0, 0, image.naturalWidth, image.naturalHeight], width, height), width, height);
    if (ink === null) throw "Nothing stands out in this picture: it has one shade all over.";
    const page = element("canvas", { width: pad.width, height: pad.height });
    const context = page.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, pad.width, pad.height);
    context.drawImage(imageOf(ink, width, height), Math.round((pad.width - width) / 2), Math.round((pad.height - height) / 2));
    return page;
  },
  greys(image, pad) {
    const scale = Math.max(pad.width / image.naturalWidth, pad.height / image.naturalHeight);
    const [width, height] = [pad.width / scale, pad.height / scale];
    const part = [(image.naturalWidth - width) / 2, (image.naturalHeight - height) / 2, width, height];
    return imageOf(greysOf(image, part, pad.width, pad.height).map((grey) => 255 - grey), pad.width, pad.height);
  },
};

// A button that opens a file: `onOpen` gets the picture as the pad takes it, `onRefuse` a sentence. Of two files the
// later one counts, however long the earlier one takes; `forget` drops one that is on its way.
function fileOpener(takes, pad, onOpen, onRefuse) {
  let latest = 0;
  const open = async (file) => {
    const turn = ++latest;
    try {
      const picture = TAKES[takes](await imageIn(file), pad);
      if (turn === latest) onOpen(picture);
    } catch (reason) {
      if (turn === latest) onRefuse(typeof reason === "string" ? reason : `“${file.name}” can't be read: ${reason.message}`);
    }
  };
  const input = element("input", { type: "file", accept: "image/*", hidden: "", "aria-label": "a picture file" });
  input.addEventListener("change", () => {
    if (input.files.length) open(input.files[0]);
    input.value = ""; // the same file can be opened again
  });
  const button = element("button", { type: "button", onclick: () => input.click() }, "open a picture");
  return { parts: [button, input], forget: () => { latest++; } };
}

// Buttons that download what the models draw, side by side: in the models' own pixels, and enlarged without smoothing.
function savers({ height, width }, canvases, tell) {
  const save = (scale) => {
    const whole = element("canvas", { width: canvases.length * scale * width, height: scale * height });
    const context = whole.getContext("2d");
    context.imageSmoothingEnabled = false;
    canvases.forEach((canvas, m) => context.drawImage(canvas, m * scale * width, 0, scale * width, scale * height));
    const name = `infogan_${whole.width}x${whole.height}.png`;
    element("a", { href: whole.toDataURL("image/png"), download: name }).click();
    tell(`Saved as ${name}.`);
  };
  return [1, SCALE].map((scale) => element("button", { type: "button", onclick: () => save(scale) }, `save ${scale * width} × ${scale * height}`));
}
