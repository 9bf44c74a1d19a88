// What Q reads from one picture: a bar per class, an axis per value or angle, and the nats that it reads of each code.

const FEWEST_NATS = -6; // what is below is written so: a code far from where Q looked

const article = (digit) => `${/^(8|11|18)/.test(digit) ? "an" : "a"} ${digit}`;

// A class of the first code, with the digit that it was matched to where that is known.
function spelledClass({ names, digits }, k) {
  return `${names[0]} = ${k}${digits[k] >= 0 ? `, ${article(digits[k])}` : ""}`;
}

// A code's name, with what it turned out to be where that is known: "c2, slant".
const spelledName = (layout, i) => layout.names[i] + (layout.meanings[i] ? `, ${layout.meanings[i]}` : "");

const spelledNats = (nats) => (nats <= FEWEST_NATS ? "below −6" : nats.toFixed(1).replace("-0.0", "0.0").replace("-", "−"));

function classBar(layout, k) {
  const fill = element("span", { class: "fill" });
  const percent = element("span", { class: "percent" });
  const digit = layout.digits.length ? [element("span", { class: "digit" }, layout.digits[k] >= 0 ? article(layout.digits[k]) : "")] : [];
  const row = element("div", { class: "bar", role: "img" }, element("span", { class: "name" }, String(k)), ...digit, element("span", { class: "trough" }, fill), percent);
  const paint = (probability, chosen) => {
    fill.style.width = `${100 * probability}%`;
    percent.textContent = `${Math.round(100 * probability)}%`;
    row.classList.toggle("chosen", chosen);
    row.setAttribute("aria-label", `${spelledClass(layout, k)}: ${percent.textContent}`);
  };
  return { row, paint };
}

// What Q reads of one code, on an axis from −half to half. An angle's band that leaves one end comes in at the other.
function axisReading({ name, spelled, half, support, circular }) {
  const share = (x) => 100 * Math.min(1, Math.max(0, (x + half) / (2 * half)));
  const spell = circular ? degrees : signed;
  const bands = (circular ? [-TURN, 0, TURN] : [0]).map((shift) => ({ shift, band: element("span", { class: "spread" }) }));
  const mark = element("span", { class: "mean" });
  const truth = element("span", { class: "truth", title: "what went in" });
  const inside = element("span", { class: "support" });
  inside.style.left = `${share(-support)}%`;
  inside.style.right = `${100 - share(support)}%`;
  const text = element("span", { class: "text" });
  const row = element("div", { class: "axis", role: "img" }, element("span", { class: "name" }, name), element("span", { class: "trough" }, inside, ...bands.map((b) => b.band), mark, truth), text);
  const paint = (mean, deviation, sent) => {
    for (const { shift, band } of bands) {
      const [low, high] = [mean - deviation + shift, mean + deviation + shift];
      band.hidden = circular && (low > half || high < -half);
      band.style.left = `${share(low)}%`;
      band.style.right = `${100 - share(high)}%`;
    }
    mark.style.left = `${share(mean)}%`;
    truth.hidden = sent === null;
    truth.style.left = `${share(sent)}%`;
    text.textContent = `${spell(mean)} ± ${circular ? degrees(deviation) : deviation.toFixed(2)}`;
    const before = sent === null ? "" : `went in ${spell(sent)}, `;
    row.setAttribute("aria-label", `${spelled}: ${before}Q reads ${text.textContent}`);
  };
  return { row, paint };
}

const likeliest = (p) => p.indexOf(Math.max(...p));

// Q's answer in words, "c1 = 3, c2 −0.14".
function spelledReading({ names, categorical }, reading) {
  const classes = reading.categorical.slice(0, categorical.length).map((p) => `= ${likeliest(p)}`);
  return [...classes, ...reading.mean.map(signed), ...reading.angle.map(degrees)].map((x, i) => `${names[i]} ${x}`).join(", ");
}

// Which codes Q read, by the nats of each: for a class, no other class may be likelier either.
function readCodes({ categorical, enough }, reading, codes) {
  return reading.nats.map((nats, i) => nats >= enough[i] && (i >= categorical.length || likeliest(reading.categorical[i]) === codes.categorical[i]));
}

// The panel: `paint(reading, codes)` shows it and returns in words what a screen reader says. Where codes are null, a
// picture was read that nothing went into, a drawing: then there is nothing to recover.
function readsPanel(layout, title, heading) {
  const { classes, categorical, names, continuous, circular, limit, support, entropies } = layout;
  const bars = Array.from({ length: classes }, (_, k) => classBar(layout, k));
  const axes = names.slice(categorical.length).map((name, i) => {
    const spelled = spelledName(layout, categorical.length + i);
    return i < continuous ? axisReading({ name, spelled, half: limit, support: support ?? 0, circular: false }) : axisReading({ name, spelled, half: TURN / 2, support: 0, circular: true });
  });
  const nats = element("div", { class: "nats" });
  const summary = element("div", { class: "summary" });
  const panel = element("div", { class: "reads", role: "group", "aria-label": `what Q reads${title ? `, ${title}` : ""}` }, element("div", { class: "heading" }, heading));
  if (classes) panel.append(element("div", { class: "bars" }, ...bars.map((bar) => bar.row)));
  panel.append(...axes.map((axis) => axis.row), nats, summary);
  const recovered = (reading, codes) => {
    const read = readCodes(layout, reading, codes);
    const most = (i) => (i < categorical.length ? ` of ${entropies[i].toFixed(1)}` : "");
    nats.textContent = `nats read: ${names.map((name, i) => `${name} ${spelledNats(reading.nats[i])}${most(i)}`).join(" · ")}`;
    const missed = names.filter((_, i) => !read[i]);
    summary.textContent = missed.length ? `not recovered: ${missed.join(", ")}` : "all codes recovered";
    summary.classList.toggle("missed", missed.length > 0);
    return `${title ? `${title}: ` : ""}${summary.textContent}. Q reads ${spelledReading(layout, reading)}.`;
  };
  const paint = (reading, codes) => {
    bars.forEach((bar, k) => bar.paint(reading.categorical[0][k], codes !== null && k === codes.categorical[0]));
    const told = [...reading.mean.map((mean, i) => [mean, reading.deviation[i], codes?.continuous[i] ?? null]), ...reading.angle.map((angle, i) => [angle, reading.angle_deviation[i], codes?.circular[i] ?? null])];
    axes.forEach((axis, i) => axis.paint(...told[i]));
    nats.hidden = summary.hidden = codes === null;
    return codes === null ? "" : recovered(reading, codes);
  };
  return { panel, paint };
}
