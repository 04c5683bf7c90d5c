// Brings the explorers of a page to life without a kernel: html-manager shows them from the state that the page holds.
// All that is loaded comes from this site. It begins when the page is there: require.js, once on the page, would take
// other scripts of the theme for its own.

const site = new URL(document.documentElement.dataset.content_root || "./", document.baseURI);
const modules = new Map();

/** The module of an explorer, which its state asks for by name; see tools/publishing/live.py. */
globalThis.rflibScript = (name) => {
  if (!modules.has(name)) modules.set(name, import(new URL(`explorers/${name}.js`, site).href));
  return modules.get(name);
};

function load(file, attributes = {}) {
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    for (const [name, value] of Object.entries(attributes)) script.setAttribute(name, value);
    script.addEventListener("load", done);
    script.addEventListener("error", () => failed(new Error(`${file} of this site could not be loaded.`)));
    script.src = new URL(`scripts/${file}`, site).href;
    document.head.append(script);
  });
}

/** A question that is answered unfolds what gives its answer away. */
document.addEventListener("rflib-answered", (event) => {
  const [, question] = event.target.closest(".cell")?.textContent.match(/rf\.ask\("([\w-]+)"\)/) ?? [];
  const fold = question && document.querySelector(`.tag_answers-${question}`)?.closest("details");
  if (fold) fold.open = true;
});

async function begin() {
  await load("require.js");
  globalThis.requirejs.config({ paths: { anywidget: new URL("scripts/anywidget", site).href }, waitSeconds: 0 });
  // Without this, html-manager would look for a missing package at a public host.
  await load("embed-amd.js", { "data-jupyter-widgets-cdn": new URL("scripts/", site).href });
}

if (document.readyState === "complete") begin();
else addEventListener("load", begin);
